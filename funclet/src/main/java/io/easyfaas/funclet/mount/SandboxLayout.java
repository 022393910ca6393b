package io.easyfaas.funclet.mount;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.common.wire.ChannelAddress;
import io.easyfaas.common.wire.ContainerId;
import io.easyfaas.funclet.launch.LauncherCommand;
import io.easyfaas.funclet.launch.LauncherCommand.Bind;
import io.easyfaas.funclet.launch.LauncherCommand.Program;
import io.easyfaas.funclet.launch.LauncherCommand.ResourceLimit;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What the sandbox of one slot looks like, as launcher commands. Pure.
///
/// @param id the slot, and the host name inside
/// @param rootfs the root
/// @param uids the slot's range of user and group ids
/// @param tmpSize of `/tmp`
public record SandboxLayout(ContainerId id, Rootfs rootfs, UidRange uids, ByteSize tmpSize) {
  /// Where the language runtime is, inside.
  public static final String RUNTIME_ROOT = "/var/runtime";

  private static final int RUNNER_ID = 1001; // User and group, see launcher.md "Exec options".
  private static final ByteSize SHM_SIZE = ByteSize.ofMebibytes(16);

  /// Less than any core file has, and what the kernel takes for a program that handles core files:
  /// it starts none, as root on the host, for that. With 0 it does, see core(5).
  private static final long NO_CORE = 1;

  private static final List<ResourceLimit> LIMITS =
      List.of(new ResourceLimit("nofile", 4096), new ResourceLimit("core", NO_CORE));

  /// Makes the sandbox.
  ///
  /// `/dev` comes before the binds of a slot and `/tmp` last of the tmpfs, but no destination lies
  /// within another, so the order is for readers only.
  public LauncherCommand create() {
    List<String> options = new ArrayList<>(List.of("--rootfs", rootfs.directory().toString()));
    options.addAll(List.of("--empty", rootfs.empty().toString()));
    rootfs.binds().forEach(bind -> options.addAll(bind.option()));
    options.addAll(List.of("--proc", "/proc"));
    options.addAll(List.of("--dev", "/dev", "--shm-bytes", Long.toString(SHM_SIZE.bytes())));
    options.addAll(List.of("--tmpfs", "/tmp", Long.toString(tmpSize.bytes()), "1777"));
    if (rootfs.hasHosts()) {
      options.addAll(List.of("--file", "/etc/hosts", hostsText()));
    }
    options.addAll(List.of("--hostname", id.value()));
    options.addAll(
        List.of("--uid-map", Long.toString(uids.base()), Integer.toString(UidRange.COUNT)));
    return LauncherCommand.create(id.value(), options);
  }

  /// Mounts a language runtime into the running sandbox.
  ///
  /// @param runtime its directory
  public LauncherCommand mountRuntime(Path runtime) {
    return LauncherCommand.mountReadOnly(
        id.value(), rootfs.empty(), List.of(new Bind(runtime, RUNTIME_ROOT)));
  }

  /// Mounts a function's code into the running sandbox.
  ///
  /// @param code the unpacked archive
  public LauncherCommand mountCode(Path code) {
    return LauncherCommand.mountReadOnly(
        id.value(), rootfs.empty(), List.of(new Bind(code, RuntimeConfiguration.CODE_ROOT)));
  }

  /// Starts the runner.
  ///
  /// @param command program and arguments, as paths inside
  /// @param channel where the runner's ends are handed over; null: it has none
  public LauncherCommand exec(List<String> command, @Nullable ChannelAddress channel) {
    return LauncherCommand.exec(
        id.value(),
        new Program(RUNNER_ID, RUNNER_ID, environment(), "/", LIMITS, command, channel));
  }

  private String hostsText() {
    return "127.0.0.1 localhost\n::1 localhost\n127.0.0.1 " + id + "\n";
  }

  /// Nothing of the engine's own environment.
  private static Map<String, String> environment() {
    Map<String, String> environment = new LinkedHashMap<>();
    environment.put("PATH", "/usr/local/bin:/usr/bin:/bin");
    environment.put("HOME", "/tmp");
    environment.put("TMPDIR", "/tmp");
    environment.put("LANG", "C.UTF-8");
    environment.put("TZ", "UTC");
    return environment;
  }
}
