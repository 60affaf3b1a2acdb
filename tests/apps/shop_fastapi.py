"""A shop that logs, with the standard library and with structlog. It knows of no ID."""

import asyncio
import logging
import time

import structlog
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()


def say(name):
    logging.getLogger("shop").info("order %s", name)
    structlog.get_logger().info("order", name=name)


@app.get("/")
async def index():
    return {}


@app.get("/orders/{name}")
async def order(name: str):
    await asyncio.sleep(0.01)
    say(name)
    return {}


@app.get("/threads/{name}")
def order_in_a_thread(name: str):
    time.sleep(0.01)
    say(name)
    return {}


@app.get("/parts/{name}")
async def parts(name: str):
    def made():
        for part in "ab":
            logging.getLogger("shop").info("order %s", name)
            yield part

    return StreamingResponse(made())


@app.get("/boom/{name}")
async def boom(name: str):
    raise RuntimeError(name)
