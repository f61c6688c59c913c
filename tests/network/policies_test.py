#!/usr/bin/python3
"""What policies.yaml says, without a network: the calls that the program makes are allowed, rows that
name one end open nothing, and everybody else is shut out. Prints who reaches whom."""
import unittest

from policies import Policies

POLICIES = Policies.read()
HOMES = {"postgres": ["10.0.20.10"], "redis": ["10.0.30.10"], "kafka": ["10.0.40.10"]}


def reaches(source, target, policies=POLICIES):
    return policies.reaches(source, target, policies.port_of(target), HOMES)


class PoliciesTest(unittest.TestCase):
    def test_every_call_of_the_program_is_allowed(self):
        for caller, called in POLICIES.calls:
            self.assertTrue(reaches(caller, called), f"{caller} -> {called}")

    def test_a_row_that_names_one_end_opens_nothing(self):
        self.assertFalse(reaches("catalog", "ticket"))   # NP-4 alone
        self.assertFalse(reaches("ticket", "payment"))   # NP-12 alone
        self.assertTrue(reaches("payment", "ticket"))    # NP-4 and NP-13

    def test_nobody_but_the_gateway_is_reached_from_outside(self):
        for source in ("balancer", "stranger"):
            self.assertEqual([pod for pod in POLICIES.pods if reaches(source, pod)], ["gateway"])

    def test_a_store_calls_nobody_who_serves(self):
        for store in HOMES:
            for pod, traits in POLICIES.pods.items():
                if traits["tier"] != "data" and pod != "gateway":
                    self.assertFalse(reaches(store, pod), f"{store} -> {pod}")
            self.assertFalse(reaches(store, "gateway"))  # ingress from anywhere, no egress

    def test_only_the_port_of_a_row_is_open(self):
        self.assertFalse(POLICIES.reaches("gateway", "auth", 22, HOMES))

    def test_a_rule_too_few_is_seen(self):
        def no_rows_to(name):
            return lambda table: table.update(
                egress=[row for row in table["egress"] if row["to"] != name])
        self.assertFalse(reaches("queue", "catalog", POLICIES.but(no_rows_to("catalog"))))

    def test_a_row_that_names_nobody_is_refused(self):
        with self.assertRaises(KeyError):
            POLICIES.but(lambda table: table["ingress"][0].update(to="gatewy"))
        with self.assertRaises(KeyError):
            POLICIES.but(lambda table: table["egress"][0].update(to="tier backed"))

    def test_a_pods_rules_are_its_rows(self):
        rules = POLICIES.rules("payment", {**HOMES, "gateway": ["10.0.10.70", "10.0.10.71"],
                                           "ticket": ["10.0.10.30"], "aws": ["10.8.0.10"]})
        self.assertIn('ip saddr { 10.0.10.70, 10.0.10.71 } tcp dport 3003 counter accept '
                      'comment "NP-5 gateway"', rules)
        self.assertEqual(rules.count("ip saddr"), 1)
        self.assertIn('ip daddr { 10.0.10.30 } meta l4proto { tcp, udp } counter accept '
                      'comment "NP-13 ticket"', rules)
        self.assertEqual(rules.count("policy drop"), 2)


def show():
    for source in POLICIES.names:
        print(f"{source:10}", *(pod for pod in POLICIES.pods
                                if pod != source and reaches(source, pod)))


if __name__ == "__main__":
    show()
    unittest.main()
