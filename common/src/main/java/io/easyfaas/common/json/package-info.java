/// The one place that knows the JSON library.
///
/// Wire records are plain Java records; this package reads and writes them and decides naming,
/// nulls and what happens to unknown members.
@NullMarked
package io.easyfaas.common.json;

import org.jspecify.annotations.NullMarked;
