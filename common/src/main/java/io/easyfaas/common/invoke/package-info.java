/// The one door through which functions are called, whatever the call came in by.
///
/// An {@link io.easyfaas.common.invoke.Invoker} takes a {@link
/// io.easyfaas.common.invoke.CallRequest} and tells a {@link io.easyfaas.common.invoke.CallSink}
/// what becomes of it; the {@link io.easyfaas.common.invoke.Call} it returns is the caller's way to
/// give up, and to say that it has taken what came. Nothing here knows HTTP, sandboxes or disks.
///
/// **Threads.** `invoke` may be called on any thread and never blocks. A sink hears back on
/// whatever thread the engine is on, one call after another and never two at once, most often on
/// the runner's event loop; it must not block either. A sink that lives on an event loop of its own
/// encodes where it is and hands over what it encoded, once; when both loops are one there is no
/// hop. The methods of `Call` may be called on any thread.
///
/// **Bytes.** The event of a request belongs to the invoker from then on. What a sink is given
/// belongs to the engine and is valid until the method returns, unless it is retained.
///
/// **Streams.** An answer comes whole, in one call of `answered`, or in parts: `began`, any number
/// of `part`, `ended`. Of the parts no more than {@link
/// io.easyfaas.common.invoke.CallSink#WINDOW_BYTES} are on their way at a time: the sink says
/// `Call.taken` for what has left it (was written to a socket, a file, a frame), and only then do
/// more come. A stream that cannot go on fails half-way.
///
/// **Who uses it, and how.**
///
/// - *The controller's HTTP API*: request and answer are HTTP messages, a client that leaves
///   cancels.
/// - *The HTTP trigger*: the event is written from the request, the answer is read; in the engine's
///   own process it has the engine's invoker, else one that speaks HTTP.
/// - *Event workers*: principal and trigger are those of the event, {@link
///   io.easyfaas.common.invoke.CallTerms#background()} its terms; the kind of failure says whether
///   to try again (`NotYet`: after its time; `ByEngine`: with growing pauses; `ByFunction`: as the
///   function's rule says) or not (`ByCaller`: dead letter). What a stream says is read and
///   dropped.
/// - *Other triggers* (timers, brokers): as event workers; how much they have in flight is how much
///   they take from their source.
/// - *The Runtime API's clients*: on the other side of the engine, they answer calls; what they
///   post in pieces reaches the sink as parts, and `taken` is what lets them post more.
/// - *A front of many Pods*: an invoker that chooses one of many others; `NotYet` lets it choose
///   again, since nothing has begun.
@NullMarked
package io.easyfaas.common.invoke;

import org.jspecify.annotations.NullMarked;
