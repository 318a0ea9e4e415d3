"""What is refused, and why: a token of the protocol, and words for people."""


class Refused(Exception):
    def __init__(self, token, detail=""):
        super().__init__("%s: %s" % (token, detail) if detail else token)
        self.token = token


class BrokersFault(Refused):
    """What the broker asserted does not hold: the session ends, and nothing is taken."""


def must(condition, token, detail=""):
    if not condition:
        raise Refused(token, detail)
