/// Where log lines go: to standard error, without ever making who writes them wait.
///
/// This package moves bytes and escapes text. It knows no logging library; the program's
/// configuration of one uses it.
@NullMarked
package io.easyfaas.common.log;

import org.jspecify.annotations.NullMarked;
