#!/usr/bin/python3
"""Attacks on the running program: each is refused with its code and changes nothing.
`attack_test.py PROGRAM [unittest arguments]`."""
import concurrent.futures, http.cookies, sys, time, unittest, uuid

import nacl.signing

from system_under_attack import Attack, base64url, claims_of, forge, from_base64url


class Tokens(Attack):
    """Access, entry and waiting-room tokens that nobody of ours has made, or not for this."""

    def altered(self, token, key, header=None, claims=None):
        old_header, old_claims = claims_of(token)
        return forge({**old_header, **(header or {})}, {**old_claims, **(claims or {})},
                     self.system.signing_key(key))

    def forgeries(self, token, key):
        """(what, token) of every way in which a token of that key can be wrong."""
        header, claims = claims_of(token)
        head, body, signature = token.split(".")
        flipped = bytearray(from_base64url(signature))
        flipped[5] ^= 1
        yield "changed signature", f"{head}.{body}.{base64url(bytes(flipped))}"
        yield "no signature", f"{head}.{body}."
        yield "alg none", forge({**header, "alg": "none"}, claims, None)
        yield "alg HS256", forge({**header, "alg": "HS256"}, claims, None)
        yield "foreign key", forge(header, claims, nacl.signing.SigningKey.generate())
        yield "unknown kid", self.altered(token, key, header={"kid": "000000000000"})
        yield "wrong typ", self.altered(token, key, header={"typ": "refresh"})
        yield "wrong typ in the claims", self.altered(token, key, claims={"typ": "refresh"})
        yield "wrong aud", self.altered(token, key, claims={"aud": "somebody-else"})
        yield "expired", self.altered(token, key, claims={"exp": int(time.time()) - 1000})
        yield "changed claims", f"{head}.{base64url(from_base64url(body).replace(b'iat', b'iaT'))}.{signature}"
        yield "rubbish", "a.b.c"
        yield "two parts", f"{head}.{body}"

    def test_access_tokens(self):
        token = self.system.fan()
        good = self.system.ask("GET", "/api/v1/reservations/mine", token=token)
        self.assertEqual(good.status, 200, good)
        before = self.system.contents()
        for what, forged in self.forgeries(token, "access"):
            with self.subTest(what):
                answer = self.system.ask("GET", "/api/v1/reservations/mine", token=forged)
                self.assertEqual(answer.status, 401, answer)
                answer = self.system.ask("POST", f"/api/v1/queue/{self.system.event}/entry",
                                         token=forged)
                self.assertEqual(answer.status, 401, answer)
        self.assertEqual(before, self.system.contents())

    def test_access_token_after_its_session_ended(self):
        person = {"email": "robbed@example.com", "password": "tr4mp-violet-91"}
        self.system.ask("POST", "/api/v1/auth/register", {**person, "name": "Robbed"})
        signed_in = self.system.ask("POST", "/api/v1/auth/login", person)
        cookies = http.cookies.SimpleCookie()
        for line in signed_in.headers.get_all("Set-Cookie"):
            cookies.load(line)
        stolen = cookies["access_token"].value
        self.assertEqual(claims_of(stolen)[1]["role"], "user")
        mine = self.system.ask("GET", "/api/v1/reservations/mine", token=stolen)
        self.assertEqual(mine.status, 200, mine)
        refresh = f"refresh_token={cookies['refresh_token'].value}"
        out = self.system.ask("POST", "/api/v1/auth/logout", headers={"Cookie": refresh})
        self.assertEqual(out.status, 204, out)
        before = self.system.contents()
        self.refused("TOKEN_INVALID", self.system.ask(
            "GET", "/api/v1/reservations/mine", token=stolen), before)
        self.refused("TOKEN_INVALID", self.system.ask(
            "POST", f"/api/v1/queue/{self.system.event}/entry", token=stolen), before)

    def test_entry_tokens(self):
        fan = self.system.fan()
        entry = self.system.admitted(fan)
        before = self.system.contents()
        for what, forged in self.forgeries(entry, "entry"):
            with self.subTest(what):
                self.refused("ENTRY_TOKEN_INVALID", self.system.hold(fan, forged, [1]))
        self.refused("ENTRY_TOKEN_INVALID", self.system.hold(fan, fan, [1]))
        self.refused("ENTRY_TOKEN_REQUIRED", self.system.hold(fan, None, [1]), before)

    def test_entry_token_of_another_user_and_of_another_event(self):
        fan, thief = self.system.fan(), self.system.fan()
        entry = self.system.admitted(fan)
        before = self.system.contents()
        self.refused("ENTRY_TOKEN_INVALID", self.system.hold(thief, entry, [2]))
        self.refused("ENTRY_TOKEN_INVALID",
                     self.system.hold(fan, entry, [2], event=self.system.other_event), before)
        self.refused("ENTRY_TOKEN_INVALID", self.system.ask(
            "GET", f"/api/v1/seats/{self.system.other_event}", token=fan, entry=entry))

    def test_entry_token_after_leaving(self):
        fan = self.system.fan()
        entry = self.system.admitted(fan)
        left = self.system.ask("DELETE", f"/api/v1/queue/{self.system.event}/entry", token=fan)
        self.assertIn(left.status, (200, 204), left)
        before = self.system.contents()
        self.refused("ENTRY_TOKEN_REVOKED", self.system.hold(fan, entry, [3]), before)

    def test_waiting_room_tokens(self):
        fan = self.system.fan()
        token = self.system.room_token()
        before = self.system.contents()
        for what, forged in self.forgeries(token, "vwr"):
            with self.subTest(what):
                self.refused("VWR_TOKEN_INVALID", self.system.enter(fan, forged))
        foreign = self.system.room_token(event=self.system.other_event)
        self.refused("VWR_TOKEN_INVALID", self.system.enter(fan, foreign))
        self.refused("VWR_TOKEN_REQUIRED", self.system.ask(
            "POST", f"/api/v1/queue/{self.system.event}/entry", token=fan))
        # Others are admitted meanwhile; this fan got no place, and nothing was sold.
        after = self.system.contents()
        account = claims_of(fan)[1]["sub"].replace("-", "")
        self.assertNotIn(repr(bytes.fromhex(account)), str(after["queue.members"]))
        for table in before.keys() - {"queue.members", "queue.spent_tokens"}:
            self.assertEqual(before[table], after[table], table)

    def test_one_receipt_used_by_two_accounts(self):
        token = self.system.room_token()
        first, second = self.system.fan(), self.system.fan()
        self.assertEqual(self.system.enter(first, token).status, 200)
        before = self.system.contents()["queue.spent_tokens"]
        self.refused("VWR_TOKEN_SPENT", self.system.enter(second, token))
        self.assertEqual(before, self.system.contents()["queue.spent_tokens"])


class Receipts(Attack):
    """Numbers of the waiting room that were changed, and what else could move one up the line."""

    def check(self, event, receipt):
        return self.system.ask("GET", f"/vwr-api/vwr/check/{event}/{receipt}")

    def test_changed_receipts(self):
        receipt = self.system.number()
        raw = bytearray(from_base64url(receipt))
        # key number, phase, position, voids, epoch, second, id, code: one bit of each
        for what, at in (("key", 0), ("phase", 2), ("position", 8), ("voids", 14), ("epoch", 22),
                         ("second", 27), ("id", 30), ("code", 50)):
            with self.subTest(what):
                changed = bytearray(raw)
                changed[at] ^= 1
                self.refused("RECEIPT_INVALID", self.check(self.system.event,
                                                           base64url(bytes(changed))))
        self.refused("RECEIPT_INVALID", self.check(self.system.event, receipt[:-1]))
        self.refused("RECEIPT_INVALID", self.check(self.system.event, "x" * len(receipt)))

    def test_receipt_of_another_event(self):
        self.refused("RECEIPT_INVALID", self.check(self.system.other_event, self.system.number()))

    def test_the_position_is_no_parameter(self):
        first = self.system.ask("POST", f"/vwr-api/vwr/assign/{self.system.event}").json["position"]
        path = f"/vwr-api/vwr/assign/{self.system.event}?position=1"
        asked = self.system.ask("POST", path, headers={"X-Position": "1"})
        self.assertGreater(asked.json["position"], first)
        refused = self.system.ask("POST", f"/vwr-api/vwr/assign/{self.system.event}",
                                  {"position": 1})
        self.refused("VALIDATION_FAILED", refused)
        fan = self.system.fan()
        before = self.system.contents()
        self.refused("VWR_TOKEN_REQUIRED", self.system.ask(
            "POST", f"/api/v1/queue/{self.system.event}/entry?position=1&epoch=1", token=fan),
            before)

    def test_nobody_but_queue_steers_the_room(self):
        path = f"/vwr/rooms/{self.system.event}"
        body = {"epoch": 1, "sequence": 1, "state": "off", "rate": 1, "soldOut": False}
        self.refused("ASSERTION_INVALID", self.system.ask("PUT", path, body,
                                                          port=self.system.room_port))
        admin = self.system.fan("admin")
        self.assertGreaterEqual(self.system.ask("PUT", "/vwr-api" + path, body,
                                                token=admin).status, 400)
        status = self.system.ask("GET", f"/vwr-api/vwr/status/{self.system.event}").json
        self.assertNotEqual(status["state"], "off")


class Claims(Attack):
    """Headers by which a client claims to be somebody."""
    forged_headers = {"X-User-Id": str(uuid.uuid4()), "X-User-Role": "admin",
                      "X-User-Email": "a@b.kr", "X-User-Verified": "true",
                      "X-Urr-Caller": "gateway", "X-Urr-Assertion": "1.AAAA"}

    def test_identity_from_outside_is_nobody(self):
        before = self.system.contents()
        self.refused("UNAUTHENTICATED", self.system.ask(
            "GET", "/api/v1/reservations/mine", headers=self.forged_headers))
        self.assertEqual(self.system.ask("POST", "/api/v1/admin/events", {},
                                         headers=self.forged_headers).status, 401)
        fan = self.system.fan()
        self.assertEqual(self.system.ask("POST", "/api/v1/admin/events", {}, token=fan,
                                         headers=self.forged_headers).status, 403)
        self.assertEqual(before, self.system.contents())

    def test_entry_from_outside_opens_nothing(self):
        fan = self.system.fan()
        before = self.system.contents()
        claimed = {"X-Entry-Event": self.system.event, "X-Entry-Jti": str(uuid.uuid4())}
        answer = self.system.ask("POST", "/api/v1/reservations",
                                 {"eventId": self.system.event, "seats": [1]}, token=fan, key="k",
                                 headers=claimed)
        self.refused("ENTRY_TOKEN_REQUIRED", answer, before)

    def test_internal_routes_cannot_be_reached_from_outside(self):
        admin = self.system.fan("admin")
        for path in (f"/internal/reservations/{uuid.uuid4()}", "/internal/users/batch",
                     "/api/v1/../../internal/users/batch", "/api/v1/seats/%2e%2e/internal"):
            self.assertIn(self.system.ask("GET", path, token=admin).status, (400, 404), path)


class ForwardedAddress(Attack):
    """X-Forwarded-For of a peer that nobody trusts must not make a new address."""
    settings = {"URR_ASSIGN_BURST": "5", "URR_ASSIGN_PER_SECOND": "1"}

    def test_an_untrusted_peer_cannot_multiply_itself(self):
        began = time.monotonic()
        codes = [self.system.ask("POST", f"/vwr-api/vwr/assign/{self.system.event}",
                                 headers={"X-Forwarded-For": f"10.1.2.{i}"}).status
                 for i in range(40)]
        self.assertIn(429, codes)
        self.assertLessEqual(codes.count(201), 5 + 1 + (time.monotonic() - began), codes)


class Bookings(Attack):
    """One account against the rules of holds and payments."""

    def test_double_submit_at_once_and_across_a_restart(self):
        fan = self.system.fan()
        entry = self.system.admitted(fan)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: self.system.hold(fan, entry, [5, 6], "same"),
                                    range(16)))
        good = [a for a in answers if a.status == 201]
        self.assertTrue(good, answers)
        self.assertEqual(len({a.json["id"] for a in good}), 1)
        for answer in answers:
            self.assertTrue(answer.status == 201 or answer.code == "IDEMPOTENCY_IN_PROGRESS",
                            answer)
        self.refused("IDEMPOTENCY_KEY_REUSED", self.system.hold(fan, entry, [7], "same"))
        self.system.kill()
        self.system.start()
        again = self.system.hold(fan, entry, [5, 6], "same")
        self.assertEqual(again.json.get("id"), good[0].json["id"], again)
        store = self.system.store("ticket")
        held = store.execute("SELECT seat FROM seats WHERE reservation = ? ORDER BY seat", (
            bytes.fromhex(good[0].json["id"].replace("-", "")),)).fetchall()
        store.close()
        self.assertEqual(held, [(5,), (6,)])
        # Payment likewise: one capture, whatever is sent twice.
        reservation = good[0].json["id"]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            paid = list(pool.map(lambda _: self.system.pay(fan, reservation, "pay"), range(8)))
        self.assertIn(200, [a.status for a in paid], paid)
        store = self.system.store("acquirer")
        charges = store.execute("SELECT count(*) FROM charges").fetchone()[0]
        store.close()
        self.assertEqual(charges, 1)

    def test_two_tabs_see_one_place(self):
        fan = self.system.fan()
        token = self.system.room_token()
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            tabs = list(pool.map(lambda _: self.system.enter(fan, token), range(2)))
        self.assertEqual([tab.status for tab in tabs], [200, 200], tabs)
        store = self.system.store("queue")
        account = bytes.fromhex(claims_of(fan)[1]["sub"].replace("-", ""))
        places = store.execute("SELECT count(*) FROM members WHERE account = ?",
                               (account,)).fetchone()[0]
        store.close()
        self.assertEqual(places, 1)

    def test_another_fans_reservation_is_not_there(self):
        fan, thief = self.system.fan(), self.system.fan()
        held = self.system.hold(fan, self.system.admitted(fan), [20]).json["id"]
        before = self.system.contents()
        self.refused("NOT_FOUND", self.system.ask("GET", f"/api/v1/reservations/{held}",
                                                  token=thief))
        self.refused("NOT_FOUND", self.system.ask("POST", f"/api/v1/reservations/{held}/cancel",
                                                  token=thief))
        self.refused("NOT_FOUND", self.system.pay(thief, held), before)

    def test_more_seats_than_one_person_may_have(self):
        fan = self.system.fan()
        entry = self.system.admitted(fan)
        before = self.system.contents()
        self.refused("SEAT_LIMIT", self.system.hold(fan, entry, [30, 31, 32, 33, 34]), before)

    def test_a_seat_that_is_held(self):
        first, second = self.system.fan(), self.system.fan()
        entry = self.system.admitted(second)
        self.assertEqual(self.system.hold(first, self.system.admitted(first), [40, 41]).status, 201)
        before = self.system.contents()
        self.refused("SEAT_TAKEN", self.system.hold(second, entry, [41, 42]), before)

    def test_bodies_that_are_no_bookings(self):
        fan = self.system.fan()
        entry = self.system.admitted(fan)
        event = self.system.event
        before = self.system.contents()
        deep = "[" * 10_000 + "]" * 10_000
        for code, body in (
                ("BODY_TOO_LARGE", b'{"eventId":"' + b"a" * 1_100_000 + b'"}'),
                ("BAD_REQUEST", f'{{"eventId":"{event}","seats":{deep}}}'),
                ("BAD_REQUEST", f'{{"eventId":"{event}","seats":[NaN]}}'),
                ("BAD_REQUEST", f'{{"eventId":"\\ud800","seats":[1]}}'),
                ("BAD_REQUEST", f'{{"eventId":"{event}","seats":[1],"seats":[2]}}'),
                ("BAD_REQUEST", b'{"eventId":"\xff"}'),
                ("BAD_REQUEST", ""),
                ("VALIDATION_FAILED", f'{{"eventId":"{event}","seats":[1e3]}}'),
                ("VALIDATION_FAILED", f'{{"eventId":"{event}","seats":[1,1]}}'),
                ("VALIDATION_FAILED", f'{{"eventId":"{event}","seats":[99999999999]}}'),
                ("VALIDATION_FAILED", f'{{"eventId":"{event}","seats":[1],"price":1}}')):
            with self.subTest(body=body[:60]):
                self.refused(code, self.system.ask("POST", "/api/v1/reservations", body, token=fan,
                                                   entry=entry, key=str(uuid.uuid4())))
        self.refused("UNSUPPORTED_MEDIA_TYPE", self.system.ask(
            "POST", "/api/v1/reservations", "{}", token=fan, entry=entry, key="k",
            headers={"Content-Type": "text/plain"}), before)


class Files(Attack):
    """What is kept is for nobody else on the machine, also in a folder that was open before."""

    def test_stores_and_keys_are_for_the_owner_alone(self):
        files = list((self.system.folder / "data").rglob("*"))
        self.assertGreater(len(files), 10)
        for file in files:
            self.assertEqual(file.stat().st_mode & 0o077, 0, file)


class ShortHolds(Attack):
    settings = {"URR_HOLD_SECONDS": "1"}

    def test_capture_after_the_hold_expired(self):
        fan = self.system.fan()
        held = self.system.hold(fan, self.system.admitted(fan), [1]).json["id"]
        self.system.until(lambda: self.system.ask("GET", f"/api/v1/reservations/{held}", token=fan)
                          .json.get("state") == "expired", "the hold expires")
        answer = self.system.pay(fan, held)
        self.refused("HOLD_EXPIRED", answer)
        store = self.system.store("acquirer")
        charges = store.execute("SELECT count(*) FROM charges").fetchone()[0]
        store.close()
        self.assertEqual(charges, 0)


class Flood(Attack):
    settings = {"URR_LIMIT_GENERAL": "100", "URR_LIMIT_BOOKING": "10"}
    requests = 100_000

    def test_a_hundred_thousand_requests_on_one_account(self):
        import http.client
        fan = self.system.fan()

        def hammer(count):
            connection = http.client.HTTPConnection("127.0.0.1", self.system.port, timeout=60)
            statuses = {}
            for _ in range(count):
                connection.request("GET", "/api/v1/reservations/mine",
                                   headers={"Authorization": f"Bearer {fan}"})
                response = connection.getresponse()
                response.read()
                statuses[response.status] = statuses.get(response.status, 0) + 1
                if response.status == 429:
                    assert int(response.headers["Retry-After"]) > 0
            connection.close()
            return statuses
        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            parts = list(pool.map(hammer, [self.requests // 4] * 4))
        minutes = (time.monotonic() - began) / 60 + 1
        total = {}
        for part in parts:
            for status, count in part.items():
                total[status] = total.get(status, 0) + count
        self.assertEqual(set(total), {200, 429}, total)
        self.assertLessEqual(total[200], 100 * minutes, total)
        # Everybody else is served as before.
        self.assertEqual(self.system.ask("GET", "/api/v1/reservations/mine",
                                         token=self.system.fan()).status, 200)


if __name__ == "__main__":
    Attack.program = sys.argv.pop(1)
    unittest.main()
