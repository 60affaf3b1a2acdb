"""A shop that logs, with the standard library and with structlog. It knows of no ID."""

import logging
import time

import structlog
from flask import Flask

app = Flask(__name__)


@app.get("/")
def index():
    return {}


@app.get("/orders/<name>")
def order(name):
    time.sleep(0.01)
    logging.getLogger("shop").info("order %s", name)
    structlog.get_logger().info("order", name=name)
    return {}


@app.get("/parts/<name>")
def parts(name):
    def made():
        for part in "ab":
            logging.getLogger("shop").info("order %s", name)
            yield part

    return made()


@app.get("/boom/<name>")
def boom(name):
    raise RuntimeError(name)
