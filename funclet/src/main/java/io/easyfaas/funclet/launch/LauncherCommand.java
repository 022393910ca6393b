package io.easyfaas.funclet.launch;

import io.easyfaas.common.wire.ChannelAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// One request to the launcher: its argument vector, see launcher.md "Serve protocol".
///
/// @param arguments the verb, the slot and the options, in order
public record LauncherCommand(List<String> arguments) {
  /// What a sandbox gets of the host's file system, read-only.
  ///
  /// @param source a path on the host
  /// @param part the entry of the source that is meant; null: all of it. The parts of one source
  ///   that follow each other cost no more than the source
  /// @param destination a path inside the sandbox that exists
  public record Bind(Path source, @Nullable String part, String destination) {
    /// All of a source.
    public Bind(Path source, String destination) {
      this(source, null, destination);
    }

    /// As an option of the launcher.
    public List<String> option() {
      return part == null
          ? List.of("--bind-ro", source.toString(), destination)
          : List.of("--part", source.toString(), part, destination);
    }
  }

  /// A program to start in a sandbox.
  ///
  /// @param uid inside the sandbox
  /// @param gid inside the sandbox
  /// @param environment the whole environment, in the order it is given
  /// @param directory where it starts, inside the sandbox
  /// @param limits resource limits
  /// @param command the program and its arguments
  /// @param channel where its ends are handed over; null: it has none
  public record Program(
      int uid,
      int gid,
      Map<String, String> environment,
      String directory,
      List<ResourceLimit> limits,
      List<String> command,
      @Nullable ChannelAddress channel) {
    /// Copies the collections; the environment keeps its order.
    public Program {
      environment =
          java.util.Collections.unmodifiableMap(new java.util.LinkedHashMap<>(environment));
      limits = List.copyOf(limits);
      command = List.copyOf(command);
    }
  }

  /// One limit of setrlimit(2).
  ///
  /// @param name `nofile`, `core`, …
  /// @param value soft and hard limit
  public record ResourceLimit(String name, long value) {}

  /// Copies the vector.
  public LauncherCommand {
    arguments = List.copyOf(arguments);
    for (String argument : arguments) {
      if (argument.indexOf('\0') >= 0) {
        throw new IllegalArgumentException(
            "argument: \"" + argument.replace("\0", "\\0") + "\" (expected: no NUL character)");
      }
    }
  }

  /// Starts the slot's keeper.
  ///
  /// @param joined the cgroups it joins
  /// @param sandbox the version 2 cgroup its sandboxes are born in; null to have them in its own
  public static LauncherCommand open(String slot, List<Path> joined, @Nullable Path sandbox) {
    List<String> arguments = new ArrayList<>(List.of("open", slot));
    joined.forEach(directory -> arguments.addAll(List.of("--cgroup", directory.toString())));
    if (sandbox != null) {
      arguments.addAll(List.of("--sandbox-cgroup", sandbox.toString()));
    }
    return new LauncherCommand(arguments);
  }

  /// Makes a sandbox.
  ///
  /// @param options the create options, in order
  public static LauncherCommand create(String slot, List<String> options) {
    List<String> arguments = new ArrayList<>(List.of("create", slot));
    arguments.addAll(options);
    return new LauncherCommand(arguments);
  }

  /// Mounts read-only into the running sandbox, all or nothing.
  ///
  /// @param empty a directory on the host that has nothing in it
  public static LauncherCommand mountReadOnly(String slot, Path empty, List<Bind> binds) {
    List<String> arguments = new ArrayList<>(List.of("mount", slot, "--empty", empty.toString()));
    binds.forEach(bind -> arguments.addAll(bind.option()));
    return new LauncherCommand(arguments);
  }

  /// Starts a program in the sandbox.
  public static LauncherCommand exec(String slot, Program program) {
    List<String> arguments = new ArrayList<>(List.of("exec", slot));
    arguments.addAll(List.of("--uid", Integer.toString(program.uid())));
    arguments.addAll(List.of("--gid", Integer.toString(program.gid())));
    program
        .environment()
        .forEach((name, value) -> arguments.addAll(List.of("--env", name + "=" + value)));
    arguments.addAll(List.of("--cwd", program.directory()));
    for (ResourceLimit limit : program.limits()) {
      String value = Long.toString(limit.value());
      arguments.addAll(List.of("--rlimit", limit.name(), value, value));
    }
    arguments.addAll(channelOptions(program.channel()));
    arguments.add("--");
    arguments.addAll(program.command());
    return new LauncherCommand(arguments);
  }

  private static List<String> channelOptions(@Nullable ChannelAddress channel) {
    if (channel == null) {
      return List.of();
    }
    List<String> options = new ArrayList<>(List.of("--channel", channel.socket(), channel.token()));
    if (channel.listenPort() > 0) {
      options.addAll(List.of("--listen", Integer.toString(channel.listenPort())));
    }
    return options;
  }

  /// Asks the launcher itself for a sign of life.
  public static LauncherCommand ping() {
    return new LauncherCommand(List.of("ping"));
  }

  /// Signals the program.
  ///
  /// @param number see signal(7)
  public static LauncherCommand signal(String slot, int number) {
    return new LauncherCommand(List.of("signal", slot, Integer.toString(number)));
  }

  /// Gives back the sandbox made in advance, for a slot that is not used for a while.
  public static LauncherCommand rest(String slot) {
    return new LauncherCommand(List.of("rest", slot));
  }

  /// Kills everything in the sandbox and waits until it is gone.
  public static LauncherCommand destroy(String slot) {
    return new LauncherCommand(List.of("destroy", slot));
  }

  /// Destroys the sandbox and ends the slot's keeper.
  public static LauncherCommand close(String slot) {
    return new LauncherCommand(List.of("close", slot));
  }

  /// The verb and the slot, for messages.
  @Override
  public String toString() {
    return String.join(" ", arguments.subList(0, Math.min(2, arguments.size())));
  }
}
