package io.easyfaas.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.UnsynchronizedAppenderBase;
import ch.qos.logback.core.spi.ContextAwareBase;
import io.easyfaas.common.log.LineQueue;
import java.util.List;

/// How the engine logs: one line an event, to standard error, from `EASYFAAS_LOG_LEVEL` up. Nobody
/// waits for the line to be taken, see {@link LineQueue}.
///
/// In Java and not in `logback.xml`, because Logback would load an XML parser to read that at every
/// start. Found by Logback through `META-INF/services`.
public final class LogFormat extends ContextAwareBase implements Configurator {
  // Whose details are nobody's here: the JDK, for example, tells of every process with a stack.
  private static final List<String> LIBRARIES = List.of("io.netty", "java", "javax", "jdk", "sun");

  /// Called by the service loader.
  public LogFormat() {}

  @Override
  public ExecutionStatus configure(LoggerContext loggers) {
    Lines lines = new Lines();
    lines.setContext(loggers);
    lines.setName("stderr");
    lines.start();
    Logger root = loggers.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    root.setLevel(Level.toLevel(System.getenv("EASYFAAS_LOG_LEVEL"), Level.INFO));
    root.addAppender(lines);
    LIBRARIES.forEach(library -> loggers.getLogger(library).setLevel(Level.WARN));
    return ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY;
  }

  private static final class Lines extends UnsynchronizedAppenderBase<ILoggingEvent> {
    @Override
    protected void append(ILoggingEvent event) {
      LineQueue.standardError().add(LogLine.of(event));
    }
  }
}
