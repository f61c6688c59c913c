#!/usr/bin/python3
"""Attacks from inside: at the services' own ports, where the parts run apart, and by the callbacks
of a payment provider. `inside_attack_test.py PROGRAM [unittest arguments]`."""
import concurrent.futures, hashlib, hmac, json, sys, time, unittest, uuid

from system_under_attack import SERVICES, Attack, claims_of

NOBODY = str(uuid.uuid4())
# A route of each service that asks who it is.
OWN_ROUTES = {"auth": "/api/v1/auth/me", "ticket": "/api/v1/tickets/mine",
              "payment": "/api/v1/payments/mine", "catalog": "/api/v1/events",
              "queue": f"/api/v1/queue/{NOBODY}/status"}


class Assertions(Attack):
    """Who reaches a service's port and cannot prove for whom it speaks."""
    settings = {"apart": True}

    def at(self, service, path, headers, method="GET", body=None):
        return self.system.ask(method, path, body, headers=headers,
                               port=self.system.ports[service])

    def test_nobody_is_believed_without_an_assertion(self):
        before = self.system.contents()
        for service in SERVICES:
            with self.subTest(service):
                claimed = {"X-User-Id": NOBODY, "X-User-Role": "admin", "X-User-Verified": "true",
                           "X-Urr-Caller": "gateway"}
                for headers in ({}, claimed, claimed | {"X-Urr-Assertion": "1.AAAA"}):
                    self.refused("ASSERTION_INVALID",
                                 self.at(service, OWN_ROUTES[service], headers))
        self.refused("ASSERTION_INVALID", self.at(
            "ticket", "/api/v1/admin/events", claimed, "POST", {"title": "free"}))
        self.assertEqual(before, self.system.contents())

    def test_a_true_assertion_is_for_one_route_service_user_and_minute(self):
        path = OWN_ROUTES["ticket"]
        true = self.system.asserted("ticket", "GET", path, NOBODY)
        self.assertEqual(self.at("ticket", path, true).status, 200)
        flipped = true["X-Urr-Assertion"][:-2] + ("B" if true["X-Urr-Assertion"][-2] == "A"
                                                  else "A") + true["X-Urr-Assertion"][-1]
        old = self.system.asserted("ticket", "GET", path, NOBODY, age=61)
        for what, headers in (
                ("changed code", true | {"X-Urr-Assertion": flipped}),
                ("newer time", true | {"X-Urr-Assertion": f"{int((time.time() + 1) * 1e6)}."
                                       + true["X-Urr-Assertion"].split(".")[1]}),
                ("another user", true | {"X-User-Id": str(uuid.uuid4())}),
                ("a higher role", true | {"X-User-Role": "admin"}),
                ("entered", true | {"X-Entry-Event": self.system.event, "X-Entry-Jti": NOBODY}),
                ("another caller", true | {"X-Urr-Caller": "payment"}),
                ("unknown caller", true | {"X-Urr-Caller": "catalog"}),
                ("a minute old", old),
                ("of the future", self.system.asserted("ticket", "GET", path, NOBODY, age=-600))):
            with self.subTest(what):
                self.refused("ASSERTION_INVALID", self.at("ticket", path, headers))
        self.refused("ASSERTION_INVALID", self.at("ticket", "/api/v1/reservations/mine", true))
        self.refused("ASSERTION_INVALID", self.at("ticket", path, true, "POST", {}))
        self.refused("ASSERTION_INVALID", self.at("payment", path, true))
        # Also made for this service by its true caller, but with the key to another.
        self.refused("ASSERTION_INVALID", self.at("ticket", path, self.system.asserted(
            "ticket", "GET", path, NOBODY, key="gateway-payment")))

    def test_inner_callers_do_what_is_theirs_and_speak_for_nobody(self):
        inner = f"/internal/reservations/{NOBODY}"
        self.refused("NOT_FOUND", self.at("ticket", inner, self.system.asserted(
            "ticket", "GET", inner, caller="payment")))
        self.refused("ASSERTION_INVALID", self.at("ticket", inner, self.system.asserted(
            "ticket", "GET", inner)))
        path = OWN_ROUTES["ticket"]
        self.refused("ASSERTION_INVALID", self.at("ticket", path, self.system.asserted(
            "ticket", "GET", path, NOBODY, caller="payment")))
        room = f"/vwr/rooms/{self.system.event}"
        # The gateway has no key to the waiting room, and queue's is no other caller's.
        for caller, key in (("gateway", "gateway-queue"), ("gateway", "queue-vwr"),
                            ("queue", "gateway-queue")):
            self.refused("ASSERTION_INVALID", self.at("vwr", room, self.system.asserted(
                "vwr", "PUT", room, caller=caller, key=key), "PUT", {}))
        self.refused("VALIDATION_FAILED", self.at("vwr", room, self.system.asserted(
            "vwr", "PUT", room, caller="queue"), "PUT", {}))

    def test_the_gateway_hides_who_runs_behind_it(self):
        fan = self.system.fan()
        before = self.system.contents()
        for headers in ({"Connection": "x-user-id, X-Urr-Assertion"},
                        {"x-uSeR-iD": NOBODY, "X-USER-ROLE": "admin"},
                        {"X-Urr-Timeout-Ms": "0"}):
            answer = self.system.ask("GET", "/api/v1/tickets/mine", token=fan, headers=headers)
            self.assertEqual((answer.status, answer.json.get("items")), (200, []), answer)
            answer = self.system.ask("POST", "/api/v1/admin/events", {}, token=fan, headers=headers)
            self.refused("FORBIDDEN", answer)
        for path in ("/%76wr-api/vwr/status/" + self.system.event, "/vwr-api/internal/users/batch",
                     "/internal/users/batch", "//internal/users/batch",
                     "/api/v1/tickets/..%2f..%2finternal", "/API/V1/tickets/mine",
                     f"/vwr/rooms/{self.system.event}"):
            self.assertIn(self.system.ask("GET", path, token=fan).status, (200, 400, 404, 405), path)
        self.assertEqual(before, self.system.contents())


class Callbacks(Attack):
    """What somebody sends in the provider's name. The secret is known here, to forge with."""
    secret = "what only the provider knows"
    settings = {"URR_SANDBOX_SECRET": secret}

    def signed(self, body, secret=None, at=None):
        at = str(int(time.time() if at is None else at))
        code = hmac.new((secret or self.secret).encode(), f"{at}.{body}".encode(), hashlib.sha256)
        return {"X-Provider-Signature": f"t={at},v1={code.hexdigest()}"}

    def call(self, body, headers):
        return self.system.ask("POST", "/api/v1/payments/webhooks/sandbox", body, headers=headers)

    def paid(self, seat):
        """A payment that went through, and the provider's word for it."""
        fan = self.system.fan()
        held = self.system.hold(fan, self.system.admitted(fan), [seat]).json["id"]
        payment = self.system.pay(fan, held)
        self.assertEqual(payment.status, 200, payment)
        return payment.json, json.dumps(
            {"id": str(uuid.uuid4()), "type": "charge.captured", "key": payment.json["id"],
             "amount": payment.json["amount"]})

    def test_forged_stale_and_changed_callbacks(self):
        _, body = self.paid(1)
        before = self.system.contents()
        true = self.signed(body)
        for what, sent, headers in (
                ("unsigned", body, {}),
                ("another secret", body, self.signed(body, "guess")),
                ("changed body", body.replace("captured", "declined"), true),
                ("added white space", body + " ", true),
                ("recorded", body, self.signed(body, at=time.time() - 301)),
                ("of the future", body, self.signed(body, at=time.time() + 900)),
                ("another time", body, {"X-Provider-Signature": true["X-Provider-Signature"]
                                        .replace("t=1", "t=2")}),
                ("a huge time", body, self.signed(body, at=10 ** 30)),
                ("no code", body, {"X-Provider-Signature": "t=1,v1="})):
            with self.subTest(what):
                self.refused("WEBHOOK_SIGNATURE_INVALID", self.call(sent, headers))
        self.refused("NOT_FOUND", self.system.ask("POST", "/api/v1/payments/webhooks/other", body,
                                                  headers=true))
        self.assertEqual(before, self.system.contents())

    def test_what_is_told_again_or_of_another_amount_changes_nothing(self):
        payment, body = self.paid(2)
        before = self.system.contents()
        headers = self.signed(body)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: self.call(body, headers), range(16)))
        self.assertEqual({answer.status for answer in answers}, {200}, answers)
        declined = body.replace("captured", "declined")
        self.assertEqual(self.call(declined, self.signed(declined)).status, 200)
        self.assertEqual(before, self.system.contents())
        for amount in (payment["amount"] + 1, 0, -payment["amount"], 2 ** 63 - 1):
            other = json.dumps(json.loads(body) | {"amount": amount})
            answer = self.call(other, self.signed(other))
            self.assertGreaterEqual(answer.status, 400, answer)
        self.assertEqual(before, self.system.contents())

    def test_money_for_nothing_is_given_back_once(self):
        body = json.dumps({"id": str(uuid.uuid4()), "type": "charge.captured",
                           "key": str(uuid.uuid7() if hasattr(uuid, "uuid7") else uuid.uuid4()),
                           "amount": 77_000})
        for _ in range(3):
            self.assertEqual(self.call(body, self.signed(body)).status, 200)
        ledger = self.system.contents()["payment.ledger"]
        self.assertEqual(len([line for line in ledger if "77000" in line]), 4, ledger)


if __name__ == "__main__":
    Attack.program = sys.argv.pop(1)
    unittest.main()
