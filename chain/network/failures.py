"""What can go wrong between this node and others, each with what to do about it."""


class ListenFailed(Exception):
    """The port for other nodes cannot be opened.  Stop what uses it, or choose another port."""


class RequestFailed(Exception):
    """The peer gave no answer.  Ask another one."""


class RequestRefused(RequestFailed):
    """The peer said no.  Ask another one, or for something else."""


class StreamFailed(Exception):
    """A stream to a peer broke.  The connection has ended or will end; wait for the next one."""


class DialFailed(Exception):
    """No connection came about at this address.  Try again later."""
