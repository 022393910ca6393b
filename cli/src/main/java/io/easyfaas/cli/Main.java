package io.easyfaas.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import io.easyfaas.common.config.ConfigException;
import io.easyfaas.common.disk.DiskFailure;
import io.easyfaas.common.http.HttpException;
import io.easyfaas.common.log.LineQueue;
import io.easyfaas.controller.runtime.RunnerException;
import io.easyfaas.funclet.cgroup.CgroupException;
import io.easyfaas.funclet.launch.LaunchException;
import io.easyfaas.stubs.store.StoreException;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.AutoComplete;
import picocli.CommandLine;

/// Entry point of `easyfaas`.
public final class Main {
  /// How long the end of the process waits for whoever reads its log.
  static final Duration LAST_WORDS = Duration.ofSeconds(1);

  private Main() {}

  /// Runs one command and exits with its status, see {@link ExitStatus}.
  public static void main(String[] args) {
    Optional<ServiceCommand> service = ServiceCommand.of(args);
    int status = service.isPresent() ? run(service.get(), args) : execute(args);
    LineQueue.standardError().flush(LAST_WORDS);
    System.exit(status);
  }

  /// A part of the engine checks its flags itself, so it is started without what the other commands
  /// need for theirs: Picocli is compiled for Java 5, and the ahead-of-time cache cannot hold such
  /// classes.
  private static int run(ServiceCommand service, String[] args) {
    try {
      return service.run(List.of(args).subList(1, args.length));
    } catch (RuntimeException e) {
      return report(e, new PrintWriter(System.err, true, UTF_8));
    }
  }

  private static int execute(String[] args) {
    AnswerOutput output = new AnswerOutput(new FileOutputStream(FileDescriptor.out));
    CommandLine line = commandLine().setOut(new PrintWriter(output, true, UTF_8));
    int status = line.execute(args);
    line.getOut().flush();
    line.getErr().flush();
    String loss = output.loss();
    if (status == ExitStatus.OK && loss != null) {
      System.err.println("easyfaas: the answer could not be written: " + loss);
      return ExitStatus.ENGINE_FAILED;
    }
    return status;
  }

  /// The whole command tree.
  static CommandLine commandLine() {
    CommandLine line = new CommandLine(new EasyfaasCommand());
    for (ServiceCommand service : ServiceCommand.all()) {
      line.addSubcommand(service.name(), service.spec());
    }
    line.addSubcommand("generate-completion", new AutoComplete.GenerateCompletion());
    line.setExpandAtFiles(false); // `invoke -d @path` means something else.
    line.setExecutionStrategy(new CommandLine.RunLast());
    line.setExecutionExceptionHandler((failure, command, _) -> report(failure, command.getErr()));
    return line;
  }

  /// Failures a user can cause are one line; anything else is a bug and shows where it happened.
  private static int report(Exception failure, PrintWriter err) {
    String message = failure.getMessage();
    switch (failure) {
      case ConfigException _ -> {
        err.println("easyfaas: " + message);
        return ExitStatus.USAGE;
      }
      case EngineException _,
          HttpException _,
          CgroupException _,
          LaunchException _,
          RunnerException _,
          StoreException _ ->
          err.println("easyfaas: " + message + hint(message));
      case UncheckedIOException e -> {
        String whole = message + ": " + DiskFailure.text(requireNonNull(e.getCause()));
        err.println("easyfaas: " + whole + hint(whole));
      }
      default -> failure.printStackTrace(err);
    }
    return ExitStatus.ENGINE_FAILED;
  }

  private static String hint(@Nullable String message) {
    return message != null && message.contains("No space left")
        ? ". Hint: free some disk space, or choose another --data-dir"
        : "";
  }
}
