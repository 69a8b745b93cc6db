# SPDX-License-Identifier: MIT
"""Everything the server refuses, and why; each becomes an RFC 9457 problem document that says what to do.

Refusal
|-- Unauthorised          401  no token, or a wrong one
|-- Browser               403  a web page spoke; only Maquette's own clients may
|-- ForeignHost           421  addressed by a name that is not this machine's loopback
|-- UnknownJob            404
|-- UnknownArtifact       404
|-- NoRoute               404 or 405
|-- NotWaiting            409  the job was begun, or is over
|-- KeyReused             409  the same Idempotency-Key with another body
|-- TooLarge              413
|-- NotJson               415
|-- Invalid               422  the path leads to the fault
|-- UnsupportedField      422  a later version wrote the request
|-- UnknownModel          422
|-- TooCostly             422  more pixels, or pixels times steps, than the model is asked for
|-- UnknownReference      422  the picture that it follows was not sent, or is no PNG file
|-- ChangedModel          422  it is here, and its files or what configures them are others
|-- QueueFull             429
|-- TooManyStreams        429  as many listeners as may
|-- QueueUnavailable      503  the queue's file is locked, or cannot be read or written
|   `-- QueueOutOfRoom    507
|-- NoRoom                507  a picture cannot be kept
|-- Internal              500  a bug of ours
`-- Failure                    of a job, kept beside it
    |-- PromptTooLong     422  the model would not read its end
    |-- Unpaintable       422  the model cannot follow the request (a phrase it cannot find, a size it cannot paint)
    |-- UnreadableJob     422  the queue holds the job in a form that this version does not know
    |-- WorkerLost        500  the worker died twice on this job
    |-- Interrupted       500  the server was started more than ten times while it had this job in hand
    |-- PaintingFailed    500  the engine raised
    |-- NoModel           503  the model's weights cannot be loaded
    |-- NoAdapter         422  a LoRA, VAE or ControlNet is not here
    |-- ChangedAdapter    422  it is here, and holds something else than it did
    |-- UnfitAdapter      422  it is made for another model, or of no use to any
    |-- ContentRefused    422  (safeguards/refusals.py) the owner's content filter says no
    |-- FilterFailed      500  (there, too) the content filter failed, and nothing is painted without it
    |-- NotSigned         500  (there, too) the picture cannot be signed
    `-- OutOfMemory       507
"""

from typing import ClassVar

from addon.protocol.answers import Problem


class Refusal(Exception):
    """Base of what the server says no to. ``detail`` is a plain sentence; ``fix`` says what to do."""

    type: ClassVar[str] = "refusal"
    title: ClassVar[str] = "Refused"
    status: int = 400
    fix: str = ""

    def __init__(self, detail: str, *, path: str = "", fix: str = "", headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.detail, self.path, self.headers = detail, path, headers or {}
        self.fix = fix or self.fix

    def problem(self) -> Problem:
        """The record that goes over the wire."""
        return Problem(
            type=self.type,
            title=self.title,
            status=self.status,
            detail=self.detail[:2000],
            fix=self.fix[:2000],
            path=self.path[:2000],
        )


class Unauthorised(Refusal):
    """No bearer token, or not ours."""

    type, title, status = "unauthorised", "The token is missing or wrong", 401
    fix = "Read the token from the connection file again: it is new each time the server starts."


class Browser(Refusal):
    """A request that carries Origin or Sec-Fetch headers, as web pages send them."""

    type, title, status = "browser", "Web pages may not use this server", 403
    fix = "Use the add-on, the command line, or a client that sends no Origin."


class ForeignHost(Refusal):
    """A Host header that does not name loopback: DNS rebinding looks like this."""

    type, title, status = "foreign-host", "This server answers only to its loopback name", 421
    fix = "Use the address in the connection file."


class UnknownJob(Refusal):
    """No job of that id."""

    type, title, status = "unknown-job", "There is no such job", 404


class UnknownArtifact(Refusal):
    """No picture of that digest."""

    type, title, status = "unknown-artifact", "There is no such picture", 404


class NoRoute(Refusal):
    """An address or a method the server does not have."""

    type, title, status = "no-route", "There is nothing at this address", 404
    fix = "Add-on and server may be of different versions: bring both up to date."


class KeyReused(Refusal):
    """An Idempotency-Key that was used with another body."""

    type, title, status = "key-reused", "This key was used for another request", 409
    fix = "Send a new Idempotency-Key with each new request."


class NotWaiting(Refusal):
    """A job that was begun, or is over, is to be moved or replaced."""

    type, title, status = "not-waiting", "The job does not wait any more", 409
    fix = "Cancel it, and ask for another."


class TooLarge(Refusal):
    """A body above the cap."""

    type, title, status = "too-large", "The request is too large", 413
    fix = "Send fewer or smaller masks."


class NotJson(Refusal):
    """A body that does not call itself JSON."""

    type, title, status = "not-json", "The request must be JSON", 415
    fix = "Send Content-Type: application/json."


class Invalid(Refusal):
    """A document or parameter that is not what it should be."""

    type, title, status = "invalid", "The request is not valid", 422


class UnsupportedField(Refusal):
    """A request with a field that this server does not know."""

    type, title, status = "unknown-field", "The server does not know a field of the request", 422
    fix = "Bring the server to the version of whoever asks, or leave the field out."


class UnknownModel(Refusal):
    """A model this server does not offer."""

    type, title, status = "unknown-model", "This server does not offer that model", 422
    fix = "Choose one of GET /v1/models."


class ChangedModel(Refusal):
    """A model of that name is here, and is not the one that painted the picture whose request this is."""

    type, title, status = "changed-model", "The model has changed", 422
    fix = "Get the earlier files again; or ask without the fingerprint, and the picture will be another."


class TooCostly(Refusal):
    """More pixels, or pixels times steps, than this model is asked for."""

    type, title, status = "too-costly", "The picture would take too long", 422
    fix = "Choose a smaller size or fewer steps."


class UnknownReference(Refusal):
    """A reference that is not here, or a picture sent to be one that is no PNG file."""

    type, title, status = "unknown-reference", "The picture that this one follows is not here", 422
    fix = "Send its PNG file to POST /v1/references first."


class QueueFull(Refusal):
    """As many jobs wait as may."""

    type, title, status = "queue-full", "The queue is full", 429
    fix = "Wait for a job to end, or cancel the waiting ones."


class TooManyStreams(Refusal):
    """As many clients listen to the news as may."""

    type, title, status = "too-many-streams", "Too many clients listen", 429
    fix = "Close another Blender, or another program that listens to this server."


class NoRoom(Refusal):
    """A picture cannot be written."""

    type, title, status = "no-room", "The server's disk is full", 507
    fix = "Make room on the disk that holds the server's folder, then generate again."


class QueueUnavailable(Refusal):
    """The queue's file is locked by something else, or cannot be read or written; no job is to blame for that."""

    type, title, status = "queue-unavailable", "The queue cannot be used now", 503
    fix = "Try again in a moment. If it stays so, the server's log and the disk that holds its folder say why."


class QueueOutOfRoom(QueueUnavailable):
    """The queue's file has no room to grow."""

    type, title, status, fix = NoRoom.type, NoRoom.title, NoRoom.status, NoRoom.fix


class Internal(Refusal):
    """A bug of ours."""

    type, title, status = "internal", "The server made a mistake", 500
    fix = "The server's log has the details; please report it."


class Failure(Refusal):
    """Why a job failed."""


class Unpaintable(Failure):
    """The model cannot follow the request."""

    type, title, status = "unpaintable", "The model cannot paint this request", 422


class PromptTooLong(Failure):
    """The model's text encoder has no room for all of the words."""

    type, title, status = "prompt-too-long", "The model cannot read it all", 422
    fix = "Shorten it."


class UnreadableJob(Failure):
    """The queue holds the job in a form that this version does not know: of a later one, or damaged."""

    type, title, status = "unreadable-job", "The queue's record of this job cannot be read", 422
    fix = "Generate again; a later version of the server may read it as it is."


class Interrupted(Failure):
    """The server was started anew as often as a job may outlive."""

    type, title, status = "interrupted", "The server was restarted too often", 500
    fix = "Generate again, and leave the server running meanwhile."


class WorkerLost(Failure):
    """The worker died on the job as often as it may."""

    type, title, status = "worker-lost", "The painting process died", 500
    fix = "The server's log may say why; a smaller picture needs less memory. Then generate again."


class PaintingFailed(Failure):
    """The engine raised something it does not announce."""

    type, title, status = "painting-failed", "Painting failed", 500
    fix = "The server's log has the details; please report it."


class NoModel(Failure):
    """The model's weights cannot be loaded."""

    type, title, status = "no-model", "The model cannot be loaded", 503


class NoAdapter(Failure):
    """A LoRA, VAE or ControlNet that the request names is not here, or cannot be read."""

    type, title, status = "no-adapter", "A LoRA, VAE or ControlNet is missing", 422
    fix = "Put it into a folder of --loras or beside the model, or leave it out."


class ChangedAdapter(Failure):
    """A LoRA, VAE or ControlNet of that name is here, and is another file than the request means."""

    type, title, status = "changed-adapter", "A LoRA, VAE or ControlNet has changed", 422
    fix = "Get the earlier file again; or take the one that is here, and the picture will be another."


class UnfitAdapter(Failure):
    """A LoRA, VAE or ControlNet is made for another kind of model, or is nothing that we read."""

    type, title, status = "unfit-adapter", "A LoRA, VAE or ControlNet does not fit", 422
    fix = "Leave it out, or choose a model that it is made for."


class OutOfMemory(Failure):
    """The device has no memory left for a picture of this size."""

    type, title, status = "out-of-memory", "Not enough memory for this picture", 507
    fix = "Choose a smaller size, or close what else uses the GPU."
