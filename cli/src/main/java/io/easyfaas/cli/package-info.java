/// The command line: starts the engine's parts, and administers functions over HTTP.
///
/// One class for each subcommand. This is also the only module that sees every service, so the
/// composition of the whole engine in one JVM ({@link io.easyfaas.cli.Engine}) lives here.
@NullMarked
package io.easyfaas.cli;

import org.jspecify.annotations.NullMarked;
