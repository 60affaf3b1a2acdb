"""A small shop on FastAPI, as anybody would write it."""

import asyncio

from fastapi import FastAPI, HTTPException, Request
from pydantic import BaseModel

app = FastAPI()


class Order(BaseModel):
    item: str = "tea"
    count: int = 1


@app.get("/")
async def index():
    return {"hello": "world"}


@app.get("/headers")
async def headers(request: Request):
    return [
        [name.decode("latin-1").lower(), value.decode("latin-1")]
        for name, value in request.headers.raw
    ]


@app.get("/users/{user_id}")
async def user(user_id: int):
    if user_id == 404:
        raise HTTPException(status_code=404, detail="no such user")
    return {"id": user_id, "name": f"user {user_id}"}


@app.get("/boom")
async def boom():
    raise RuntimeError("boom")


@app.get("/slow")
async def slow(ms: int = 500):
    await asyncio.sleep(ms / 1000)
    return {"slept_ms": ms}


@app.post("/orders", status_code=201)
async def create_order(order: Order = Order()):
    return {"id": 1, "item": order.item, "count": order.count}
