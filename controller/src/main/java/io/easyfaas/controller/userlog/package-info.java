/// The logs of functions whose owners want them kept, as files for a collector to pick up.
@NullMarked
package io.easyfaas.controller.userlog;

import org.jspecify.annotations.NullMarked;
