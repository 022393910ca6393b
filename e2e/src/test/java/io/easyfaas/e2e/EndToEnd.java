package io.easyfaas.e2e;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/// A test class that starts engines: it needs root and a packaged engine. Without them it is
/// skipped with the reason, or fails with it where `EASYFAAS_MUST_RUN=1` is set.
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(Requirements.class)
@interface EndToEnd {}
