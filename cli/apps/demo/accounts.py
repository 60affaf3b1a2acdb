"""The accounts of a small tea shop, on Flask: users, logins, addresses and avatars."""

import hashlib
import random
import time
import uuid

from flask import Flask, Response, abort, jsonify, redirect, request

MOST_USERS = 5_000
COUNTRIES = dict(enumerate(["AT", "BD", "CN", "DE", "ES", "FR", "GB", "IN", "JP", "KE", "LK", "NP", "TR"]))

app = Flask(__name__)
dice = random.Random(2)


def work(median_ms, spread=0.6):
    """Waits as a database would make us: mostly about so long, now and then much longer."""
    time.sleep(min(median_ms * dice.lognormvariate(0, spread), 5_000) / 1000)


def name_of(user_id):
    return f"user{user_id}"


def known(user_id):
    if not 1 <= user_id <= MOST_USERS:
        abort(404)
    return {"id": user_id, "name": name_of(user_id), "email": f"{name_of(user_id)}@example.org"}


def address(user_id, number):
    address_id = uuid.uuid5(uuid.NAMESPACE_OID, f"{user_id}/{number}")
    # As data is: some users have a country that nobody thought of.
    return {"id": str(address_id), "country": COUNTRIES[user_id % 27 // 2]}


@app.get("/")
def index():
    return {"accounts": MOST_USERS}


@app.get("/healthz")
def health():
    return {"ok": True}


@app.post("/login")
def login():
    said = request.get_json(silent=True) or {}
    if "user" not in said:
        return {"error": "who?"}, 422
    work(25)
    if said.get("password") != "tea":
        return {"error": "wrong password"}, 401
    return {"token": hashlib.sha256(said["user"].encode()).hexdigest()}


@app.get("/users")
def users():
    work(10)
    first = 1 + 20 * request.args.get("page", default=0, type=int)
    return jsonify([known(user_id) for user_id in range(first, first + 20)])


@app.post("/users")
def create_user():
    work(15)
    said = request.get_json(silent=True) or {}
    if said.get("email", "").startswith("taken"):
        return {"error": "there is an account with this address"}, 409
    return {"id": dice.randint(1, MOST_USERS)}, 201


@app.get("/users/<int:user_id>")
def user(user_id):
    work(6)
    return known(user_id)


@app.patch("/users/<int:user_id>")
def change_user(user_id):
    work(12)
    return known(user_id) | (request.get_json(silent=True) or {})


@app.get("/users/<int:user_id>/addresses")
def addresses(user_id):
    known(user_id)
    work(15)
    return jsonify([address(user_id, number) for number in range(2)])


@app.get("/users/<int:user_id>/addresses/<uuid:address_id>")
def one_address(user_id, address_id):
    known(user_id)
    work(7)
    return {"id": str(address_id), "country": "DE"}


@app.get("/users/<int:user_id>/avatar")
def avatar(user_id):
    known(user_id)
    answer = Response(b"\x89PNG\r\n\x1a\n" + bytes(4_000), mimetype="image/png")
    answer.set_etag(str(user_id))
    return answer.make_conditional(request)


@app.get("/users/<int:user_id>/logins/<day>")
def logins(user_id, day):
    known(user_id)
    work(30, spread=0.9)
    return {"day": day, "logins": user_id % 3}


@app.get("/sessions/<token>")
def session(token):
    work(3)
    return {"valid": len(token) == 64}


@app.get("/by-email/<email>")
def by_email(email):
    work(9)
    return {"email": email}


@app.get("/profiles/<handle>")
def profile(handle):
    work(8)
    return {"handle": handle, "favourite": "sencha"}


@app.get("/u/<int:user_id>")
def short(user_id):
    return redirect(f"/users/{user_id}", code=301)


@app.get("/exports/<uuid:export_id>")
def export(export_id):
    work(250, spread=0.7)
    return Response((f"{number},{name_of(number)}\n" for number in range(500)), mimetype="text/csv")
