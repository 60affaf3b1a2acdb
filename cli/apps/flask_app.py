"""A small shop on Flask, as anybody would write it."""

import time

from flask import Flask, abort, jsonify, request

app = Flask(__name__)


@app.get("/")
def index():
    return {"hello": "world"}


@app.get("/headers")
def headers():
    return jsonify([[name.lower(), value] for name, value in request.headers])


@app.get("/users/<int:user_id>")
def user(user_id):
    if user_id == 404:
        abort(404)
    return {"id": user_id, "name": f"user {user_id}"}


@app.get("/boom")
def boom():
    raise RuntimeError("boom")


@app.get("/slow")
def slow():
    ms = request.args.get("ms", default=500, type=int)
    time.sleep(ms / 1000)
    return {"slept_ms": ms}


@app.post("/orders")
def create_order():
    order = request.get_json(silent=True) or {}
    return {"id": 1, "item": order.get("item", "tea"), "count": order.get("count", 1)}, 201
