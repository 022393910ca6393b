/// Configuration of every process: typed options from the command line and the environment.
///
/// A key has one spelling, `lower-case-dashed`; the flag is `--key`, the environment variable
/// `EASYFAAS_KEY` in upper snake case. The command line wins over the environment, which wins over
/// the default. An unknown flag stops the start.
@NullMarked
package io.easyfaas.common.config;

import org.jspecify.annotations.NullMarked;
