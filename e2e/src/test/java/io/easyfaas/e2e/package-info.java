/// Tests of the whole engine. One class a promise of `docs/specification.md`; each starts real
/// engines and talks to them as a user does, with HTTP and the command line.
///
/// What is here knows no internals: nothing but the architecture test names a class of the engine.
@NullMarked
package io.easyfaas.e2e;

import org.jspecify.annotations.NullMarked;
