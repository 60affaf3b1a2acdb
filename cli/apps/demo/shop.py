"""The storefront of a small tea shop, on FastAPI: catalogue, carts, checkout, and news of orders."""

import asyncio
import datetime
import os
import random
import uuid

import requests
from fastapi import FastAPI, HTTPException, Response, WebSocket, WebSocketDisconnect
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

ACCOUNTS_URL = os.environ["ACCOUNTS_URL"]
ACCOUNTS_TIMEOUT = 10

LEAVES = ["assam", "darjeeling", "earl-grey", "genmaicha", "jasmine", "lapsang", "oolong", "rooibos", "sencha"]
SIZES = {"50g": 490, "100g": 890, "250g": 1990}
CATALOGUE = {f"{leaf}-{size}": price for leaf in LEAVES for size, price in SIZES.items()}
CATEGORIES = {"black": LEAVES[:3], "green": ["genmaicha", "jasmine", "sencha"], "others": LEAVES[5:8]}

# Nobody comes back for a cart older than the last so many.
MOST_CARTS = 1_000
CARTS = {}

app = FastAPI(title="Tea shop")
dice = random.Random(1)


class Item(BaseModel):
    quantity: int = Field(ge=1, le=99)


class Checkout(BaseModel):
    user_id: int
    payment: str = "card"


async def work(median_ms, spread=0.6):
    """Waits as a database would make us: mostly about so long, now and then much longer."""
    await asyncio.sleep(min(median_ms * dice.lognormvariate(0, spread), 5_000) / 1000)


def product(slug):
    if slug not in CATALOGUE:
        raise HTTPException(status_code=404, detail="no such product")
    return {"slug": slug, "price_cents": CATALOGUE[slug]}


def cart_of(cart_id):
    if cart_id not in CARTS:
        raise HTTPException(status_code=404, detail="no such cart")
    return CARTS[cart_id]


@app.get("/")
async def index():
    return {"shop": "tea", "products": len(CATALOGUE)}


@app.get("/healthz")
async def health():
    return {"ok": True}


@app.get("/api/products")
async def products(page: int = 1):
    await work(8)
    first = (page - 1) * 10
    return [product(slug) for slug in list(CATALOGUE)[first : first + 10]]


@app.get("/api/products/{slug}")
async def one_product(slug: str):
    await work(5)
    return product(slug)


@app.get("/api/products/{slug}/reviews")
async def reviews(slug: str):
    await work(45, spread=0.9)
    return {"product": product(slug), "stars": [5, 4, 5]}


@app.get("/api/categories/{name}")
async def category(name: str):
    await work(6)
    if name not in CATEGORIES:
        raise HTTPException(status_code=404, detail="no such category")
    return CATEGORIES[name]


@app.get("/images/{file:path}")
async def image(file: str, response: Response):
    if not file.endswith(".webp"):
        raise HTTPException(status_code=404, detail="no such image")
    return Response(b"RIFF" + bytes(2_000), media_type="image/webp", headers={"cache-control": "max-age=600"})


@app.get("/search")
async def search(q: str):
    await work(60, spread=0.8)
    return [slug for slug in CATALOGUE if q in slug]


@app.get("/deals/{day}")
async def deals(day: datetime.date):
    await work(12)
    return {"day": day, "product": LEAVES[day.toordinal() % len(LEAVES)]}


@app.post("/api/carts", status_code=201)
async def create_cart():
    await work(6)
    while len(CARTS) >= MOST_CARTS:
        del CARTS[next(iter(CARTS))]
    cart_id = uuid.uuid4()
    CARTS[cart_id] = {"items": {}, "order": None}
    return {"id": cart_id}


@app.get("/api/carts/{cart_id}")
async def cart(cart_id: uuid.UUID):
    await work(4)
    return cart_of(cart_id)


@app.put("/api/carts/{cart_id}/items/{slug}")
async def put_item(cart_id: uuid.UUID, slug: str, item: Item):
    await work(8)
    product(slug)
    cart_of(cart_id)["items"][slug] = item.quantity
    return cart_of(cart_id)


@app.delete("/api/carts/{cart_id}/items/{slug}", status_code=204)
async def remove_item(cart_id: uuid.UUID, slug: str):
    await work(5)
    cart_of(cart_id)["items"].pop(slug, None)


@app.post("/api/carts/{cart_id}/checkout", status_code=201)
def checkout(cart_id: uuid.UUID, said: Checkout):
    cart = cart_of(cart_id)
    if cart["order"]:
        raise HTTPException(status_code=409, detail="this cart has been ordered")
    addresses = addresses_of(said.user_id)
    charge(said.payment)
    cart["order"] = dice.randrange(10_000, 99_999)
    return {"order": cart["order"], "ship_to": addresses[0]}


def addresses_of(user_id):
    url = f"{ACCOUNTS_URL}/users/{user_id}/addresses"
    answer = requests.get(url, headers={"user-agent": "tea-shop/1.0"}, timeout=ACCOUNTS_TIMEOUT)
    if answer.status_code == 404:
        raise HTTPException(status_code=422, detail="no such user")
    answer.raise_for_status()
    return answer.json()


def charge(payment):
    # As bugs are: one kind of payment that somebody forgot, until it is used.
    fees = {"card": 0.014, "invoice": 0.0}
    return fees[payment]


@app.get("/api/orders/{order_id}")
async def order(order_id: int):
    await work(10)
    if order_id < 10_000:
        raise HTTPException(status_code=404, detail="no such order")
    return {"id": order_id, "state": "packed"}


@app.get("/api/orders/{order_id}/events")
async def order_events(order_id: int):
    async def events():
        for state in ["paid", "picked", "packed", "weighed", "labelled", "handed over"]:
            yield f"event: state\ndata: {state}\n\n"
            await asyncio.sleep(1)

    return StreamingResponse(events(), media_type="text/event-stream")


@app.websocket("/ws/support/{room}")
async def support(websocket: WebSocket, room: str):
    await websocket.accept()
    try:
        while True:
            question = await websocket.receive_text()
            await work(30)
            await websocket.send_text(f"{room}: about {question!r}, we shall see")
    except WebSocketDisconnect:
        pass
