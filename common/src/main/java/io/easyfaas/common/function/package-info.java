/// The documents that describe a function and its language runtime, as a function registry serves
/// them and the controller and funclet read them.
///
/// Members are absent (null) when the document does not have them: registries other than ours leave
/// much out.
@NullMarked
package io.easyfaas.common.function;

import org.jspecify.annotations.NullMarked;
