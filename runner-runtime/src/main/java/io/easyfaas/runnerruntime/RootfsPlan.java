package io.easyfaas.runnerruntime;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.file.LinkOption.NOFOLLOW_LINKS;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// What the sandboxes' root contains, and what of the host is bound into it.
///
/// Every root has the mount points that funclet uses, a user `sandbox` with the runner's ids, and
/// name resolution by files. Nothing that only root may read on the host gets into it.
///
/// @param directory the root
/// @param binds a host directory, the part of it if not all is bound, and where, read-only
record RootfsPlan(DirectoryPlan directory, List<List<String>> binds) {
  /// Ids of the runner inside every sandbox, see launcher.md "Exec options".
  private static final int SANDBOX_ID = 1001;

  private static final List<String> MOUNT_POINTS =
      List.of(
          "dev",
          "etc",
          "home",
          "proc",
          "run",
          "sys",
          "tmp",
          "usr",
          "var/runtime",
          "var/task",
          "var/tmp");

  /// What distributors install below `/usr` for programs to run. Not there are what administrators
  /// put beside it, in `/usr/local` and `/usr/etc`, with what others must not read, and what it
  /// takes to build programs.
  private static final List<String> USR_PARTS =
      List.of("bin", "lib", "lib32", "lib64", "libexec", "libx32", "sbin", "share");

  /// Directories of a tree whose content belongs to a machine that runs.
  private static final Set<String> VOLATILE = Set.of("dev", "proc", "run", "sys", "tmp");

  /// Parts of the root that lead to `/usr`, or lie beside it on systems that keep them apart.
  private static final List<String> PROGRAM_DIRECTORIES =
      List.of("bin", "lib", "lib32", "lib64", "libx32", "sbin");

  /// What programs below `/usr` look for in `/etc`: the loader's cache, where alternatives lead,
  /// certificate authorities, and tables of names.
  private static final List<String> HOST_ETC =
      List.of(
          "alternatives",
          "ca-certificates",
          "crypto-policies",
          "host.conf",
          "ld.so.cache",
          "ld.so.conf",
          "ld.so.conf.d",
          "localtime",
          "mime.types",
          "networks",
          "os-release",
          "pki/ca-trust/extracted",
          "pki/tls/certs",
          "pki/tls/openssl.cnf",
          "protocols",
          "services",
          "ssl/certs",
          "ssl/openssl.cnf");

  private static final String HOSTS =
      """
      127.0.0.1 localhost
      ::1 localhost ip6-localhost ip6-loopback
      """;

  private static final String RESOLVER =
      """
      # There is no network, so no name server either.
      """;

  private static final String NSSWITCH =
      """
      passwd: files
      group: files
      hosts: files dns
      networks: files
      protocols: files
      services: files
      """;

  private static final List<String> PASSWD =
      List.of(
          "root:x:0:0:root:/root:/usr/sbin/nologin",
          "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin");
  private static final List<String> GROUP = List.of("root:x:0:", "nogroup:x:65534:");
  private static final String SANDBOX_USER =
      "sandbox:x:" + SANDBOX_ID + ":" + SANDBOX_ID + ":sandbox:/tmp:/bin/sh";
  private static final String SANDBOX_GROUP = "sandbox:x:" + SANDBOX_ID + ":";

  /// Copies the lists.
  RootfsPlan {
    binds = binds.stream().map(List::copyOf).toList();
  }

  /// A root whose programs are the host's own.
  ///
  /// @param host the host's root directory, `/` but in tests
  static RootfsPlan ofHost(Path host) throws IOException {
    DirectoryPlan plan = new DirectoryPlan();
    List<List<String>> binds = new ArrayList<>();
    MOUNT_POINTS.forEach(plan::directory);
    for (String name : USR_PARTS) {
      if (addFromUsr(plan, "usr/" + name, host)) {
        binds.add(List.of(host.resolve("usr").toString(), name, "/usr/" + name));
      }
    }
    for (String name : PROGRAM_DIRECTORIES) {
      if (addFromUsr(plan, name, host)) {
        binds.add(List.of(host.resolve(name).toString(), "/" + name));
      }
    }
    for (String name : HOST_ETC) {
      addFromHost(plan, "etc/" + name, host.resolve("etc").resolve(name));
    }
    plan.symlink("etc/mtab", Path.of("/proc/mounts"));
    plan.file("etc/nsswitch.conf", NSSWITCH);
    plan.file("etc/hosts", HOSTS);
    plan.file("etc/resolv.conf", RESOLVER);
    plan.file("etc/passwd", with(PASSWD, SANDBOX_USER));
    plan.file("etc/group", with(GROUP, SANDBOX_GROUP));
    return new RootfsPlan(plan, binds);
  }

  /// A root that is a directory tree of its own.
  ///
  /// @param tree the directory
  static RootfsPlan ofTree(Path tree) throws IOException {
    DirectoryPlan plan = new DirectoryPlan();
    plan.shareTree(
        "", tree, path -> !VOLATILE.contains(tree.relativize(path).getName(0).toString()));
    MOUNT_POINTS.forEach(plan::directory);
    if (!plan.contains("etc/nsswitch.conf")) {
      plan.file("etc/nsswitch.conf", NSSWITCH);
    }
    plan.file("etc/hosts", HOSTS);
    plan.file("etc/resolv.conf", RESOLVER);
    plan.file("etc/passwd", withId(tree.resolve("etc/passwd"), PASSWD, SANDBOX_USER));
    plan.file("etc/group", withId(tree.resolve("etc/group"), GROUP, SANDBOX_GROUP));
    return new RootfsPlan(plan, List.of());
  }

  /// Whether sandboxes see a file of the host where it is. Binds are not recursive: what is mounted
  /// below the host's `/usr` is not seen.
  ///
  /// @param file no symbolic link, nor behind one
  static boolean shows(Path host, Path file) throws IOException {
    Path usr = host.resolve("usr");
    return USR_PARTS.stream().anyMatch(part -> file.startsWith(usr.resolve(part)))
        && deviceOf(file).equals(deviceOf(usr));
  }

  private static Object deviceOf(Path path) throws IOException {
    return Files.getAttribute(path, "unix:dev");
  }

  /// Plans a link of the host's, or the place for a directory of the host's, which is then to be
  /// bound: returns whether it is.
  private static boolean addFromUsr(DirectoryPlan plan, String name, Path host) throws IOException {
    Path path = host.resolve(name);
    if (Files.isSymbolicLink(path)) {
      plan.symlink(name, Files.readSymbolicLink(path));
      return false;
    }
    if (Files.isDirectory(path)) {
      plan.directory(name);
      return true;
    }
    return false;
  }

  private static void addFromHost(DirectoryPlan plan, String name, Path source) throws IOException {
    if (Files.isSymbolicLink(source)) {
      Path target = Files.readSymbolicLink(source);
      plan.symlink(name, target);
    } else if (Files.isDirectory(source)) {
      plan.copyTree(name, source, path -> !isManual(path) && isPublic(path));
    } else if (Files.isRegularFile(source) && isPublic(source)) {
      plan.copy(name, source);
    }
  }

  /// Whether it leads to a page of the manual, as most alternatives do.
  private static boolean isManual(Path path) {
    return path.toString().endsWith(".gz");
  }

  /// Whether everybody may read it on the host: then sandboxes may, too.
  private static boolean isPublic(Path path) {
    try {
      return Files.isSymbolicLink(path)
          || Files.getPosixFilePermissions(path, NOFOLLOW_LINKS)
              .contains(PosixFilePermission.OTHERS_READ);
    } catch (IOException _) {
      return false;
    }
  }

  /// The file of a tree, with the line added if no other has its id. Not followed if it is a link:
  /// that would lead out of the tree.
  private static byte[] withId(Path file, List<String> otherwise, String line) throws IOException {
    if (!Files.isRegularFile(file, NOFOLLOW_LINKS)) {
      return with(otherwise, line);
    }
    List<String> present = Files.readAllLines(file, ISO_8859_1);
    boolean isTaken =
        present.stream()
            .map(each -> each.split(":", -1))
            .anyMatch(fields -> fields.length > 2 && fields[2].equals(String.valueOf(SANDBOX_ID)));
    return isTaken ? Files.readAllBytes(file) : with(present, line);
  }

  /// In Latin-1, which keeps the bytes of whatever encoding the lines are in.
  private static byte[] with(List<String> lines, String last) {
    return (String.join("\n", lines) + "\n" + last + "\n").getBytes(ISO_8859_1);
  }
}
