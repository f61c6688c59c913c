"""The NetworkPolicies of policies.yaml: who reaches whom, and the same as nftables.

    policies = Policies.read()
    policies.reaches("payment", "ticket", 3002)         # both ends have a row for it
    policies.rules("ticket", {"ticket": ["10.0.10.2"], ...})   # a pod's firewall, for `nft -f -`

`addresses` has every address of every pod and of everybody outside. Default is to drop, in and out."""
import copy, ipaddress, pathlib, yaml

DNS = 53
HERE = pathlib.Path(__file__).resolve().parent


class Policies:
    def __init__(self, table):
        self.table = table
        self.pods = table["pods"]
        self.names = [*self.pods, *table["outside"]]
        for row in [*table["ingress"], *table["egress"]]:
            for name in [*row["from"], row["to"]]:
                self.members(name)  # KeyError: it names nobody
        self.calls = {(caller, called) for line in table["calls"]
                      for caller, all_called in line.items() for called in all_called}

    @staticmethod
    def read():
        return Policies(yaml.safe_load((HERE / "policies.yaml").read_text()))

    def but(self, change):
        """The same with what `change(table)` does to a copy of the table."""
        table = copy.deepcopy(self.table)
        change(table)
        return Policies(table)

    def members(self, name):
        """Names that a `from` or `to` means; of a network its range."""
        kind, _, which = name.partition(" ")
        if kind == "tier":
            found = [pod for pod, traits in self.pods.items() if traits["tier"] == which]
            if not found:
                raise KeyError(name)
            return found
        if kind == "network":
            return [ipaddress.ip_network(self.table["networks"][which])]
        if kind == "anywhere" or kind in self.names:
            return [kind]
        raise KeyError(name)

    def port_of(self, name):
        return self.pods[name]["port"] if name in self.pods else {"aws": 443, "balancer": 80}[name]

    def may_leave(self, source, target, port, addresses):
        if source not in self.pods:
            return True
        homes = [ipaddress.ip_address(address) for address in addresses.get(target, [])]
        for row in self.table["egress"]:
            if source not in [name for each in row["from"] for name in self.members(each)]:
                continue
            if row.get("port", port) != port:
                continue
            for meant in self.members(row["to"]):
                if meant == target or (not isinstance(meant, str) and
                                       any(home in meant for home in homes)):
                    return True
        return False

    def may_enter(self, source, target, port):
        if target not in self.pods:
            return True
        for row in self.table["ingress"]:
            allowed = [name for each in row["from"] for name in self.members(each)]
            if row["to"] == target and row["port"] == port and \
                    (source in allowed or "anywhere" in allowed):
                return True
        return False

    def reaches(self, source, target, port, addresses):
        return self.may_leave(source, target, port, addresses) and \
            self.may_enter(source, target, port)

    def rules(self, pod, addresses):
        """nftables of a pod. Each rule is commented "ROW NAME", NAME whom it lets in or whom it lets
        reach, and counts; what is dropped is counted by `dropped_in` and `dropped_out`."""
        def lines(direction, row, names):
            port = f"tcp dport {row['port']}" if "port" in row else "meta l4proto { tcp, udp }"
            for name in names:
                homes = addresses.get(name, []) if isinstance(name, str) else [str(name)]
                match = f"ip {direction} {{ {', '.join(homes)} }} " if homes else ""
                if match or name == "anywhere":
                    yield f"{match}{port} counter accept comment \"{row['row']} {name}\""

        def everybody(row):
            return [name for each in row["from"] for name in self.members(each)]

        incoming = [line for row in self.table["ingress"] if row["to"] == pod
                    for line in lines("saddr", row, everybody(row))]
        outgoing = [line for row in self.table["egress"] if pod in everybody(row)
                    for line in lines("daddr", row, self.members(row["to"]))]
        return "\n    ".join([
            "table inet urr {",
            "counter dropped_in { }", "counter dropped_out { }",
            "chain enter { type filter hook input priority 0; policy drop;",
            "iif lo accept", "ct state established,related accept", *incoming,
            "meta l4proto { tcp, udp } counter name dropped_in drop", "}",
            "chain leave { type filter hook output priority 0; policy drop;",
            "oif lo accept", "ct state established,related accept",
            f"meta l4proto {{ tcp, udp }} th dport {DNS} counter accept comment \"DNS\"", *outgoing,
            "meta l4proto { tcp, udp } counter name dropped_out drop", "}", "}", ""])
