package io.easyfaas.runnerruntime;

import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.disk.DiskTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RootfsPlanTest {
  private static final List<String> MOUNT_POINTS =
      List.of("etc", "proc", "dev", "sys", "tmp", "run", "var/task", "var/runtime", "usr");

  @TempDir Path temp;
  private Path host;
  private Path rootfs;

  @BeforeEach
  void makeHost() throws IOException {
    host = Files.createDirectory(temp.resolve("host"));
    rootfs = temp.resolve("rootfs");
    Files.createDirectories(host.resolve("usr/bin"));
    Files.createDirectories(host.resolve("etc"));
  }

  // JUnit warns of every link it deletes.
  @AfterEach
  void deleteLinks() throws IOException {
    DiskTree.delete(temp);
  }

  @Test
  void ofTheHostsUsrIsBoundWhatProgramsNeedAndEverythingLeadsToIt() throws IOException {
    for (String name : List.of("etc", "include", "lib", "local", "sbin", "share", "src", "x")) {
      Files.createDirectory(host.resolve("usr").resolve(name));
    }
    Files.createSymbolicLink(host.resolve("usr/lib64"), Path.of("lib"));
    for (String name : List.of("bin", "sbin", "lib", "lib64")) {
      Files.createSymbolicLink(host.resolve(name), Path.of("usr/" + name));
    }

    RootfsPlan plan = layOut(RootfsPlan.ofHost(host));

    String usr = host.resolve("usr").toString();
    assertThat(plan.binds())
        .containsExactly(
            List.of(usr, "bin", "/usr/bin"),
            List.of(usr, "lib", "/usr/lib"),
            List.of(usr, "sbin", "/usr/sbin"),
            List.of(usr, "share", "/usr/share"));
    for (String name : List.of("bin", "sbin", "lib", "lib64")) {
      assertThat(Files.readSymbolicLink(rootfs.resolve(name))).isEqualTo(Path.of("usr/" + name));
    }
    assertThat(rootfs.resolve("lib32")).doesNotExist();
    for (String name : MOUNT_POINTS) {
      assertThat(rootfs.resolve(name)).isDirectory();
    }
    assertThat(rootfs.resolve("usr").toFile().list())
        .containsExactlyInAnyOrder("bin", "lib", "lib64", "sbin", "share");
    assertThat(Files.readSymbolicLink(rootfs.resolve("usr/lib64"))).isEqualTo(Path.of("lib"));
  }

  @Test
  void whatAnAdministratorInstalledIsNotShown() throws IOException {
    write("usr/bin/node", "");
    write("usr/local/bin/node", "");

    assertThat(RootfsPlan.shows(host, host.resolve("usr/bin/node"))).isTrue();
    assertThat(RootfsPlan.shows(host, host.resolve("usr/local/bin/node"))).isFalse();
  }

  @Test
  void aHostWhoseProgramsLieBesideUsrHasThemBoundToo() throws IOException {
    Files.createDirectory(host.resolve("bin"));
    Files.createDirectory(host.resolve("lib"));

    RootfsPlan plan = layOut(RootfsPlan.ofHost(host));

    assertThat(plan.binds())
        .containsExactly(
            List.of(host.resolve("usr").toString(), "bin", "/usr/bin"),
            List.of(host.resolve("bin").toString(), "/bin"),
            List.of(host.resolve("lib").toString(), "/lib"));
    assertThat(rootfs.resolve("bin")).isEmptyDirectory();
  }

  @Test
  void programsFindWhatTheyLookForInEtc() throws IOException {
    write("etc/ld.so.cache", "cache");
    write("etc/ssl/certs/ca-certificates.crt", "authorities");
    Files.createSymbolicLink(
        host.resolve("etc/ssl/certs/one.pem"), Path.of("/usr/share/ca-certificates/one.crt"));
    Files.createDirectory(host.resolve("etc/alternatives"));
    Files.createSymbolicLink(host.resolve("etc/alternatives/awk"), Path.of("/usr/bin/mawk"));
    Files.createSymbolicLink(
        host.resolve("etc/alternatives/awk.1.gz"), Path.of("/usr/share/man/man1/mawk.1.gz"));
    Files.createSymbolicLink(host.resolve("etc/localtime"), Path.of("/usr/share/zoneinfo/UTC"));

    layOut(RootfsPlan.ofHost(host));

    assertThat(rootfs.resolve("etc/ld.so.cache")).hasContent("cache");
    assertThat(rootfs.resolve("etc/ssl/certs/ca-certificates.crt")).hasContent("authorities");
    assertThat(Files.readSymbolicLink(rootfs.resolve("etc/ssl/certs/one.pem")))
        .isEqualTo(Path.of("/usr/share/ca-certificates/one.crt"));
    assertThat(Files.readSymbolicLink(rootfs.resolve("etc/alternatives/awk")))
        .isEqualTo(Path.of("/usr/bin/mawk"));
    assertThat(rootfs.resolve("etc/alternatives/awk.1.gz")).doesNotExist();
    assertThat(Files.readSymbolicLink(rootfs.resolve("etc/localtime")))
        .isEqualTo(Path.of("/usr/share/zoneinfo/UTC"));
    assertThat(rootfs.resolve("etc/hosts")).content().startsWith("127.0.0.1 localhost\n");
    assertThat(rootfs.resolve("etc/nsswitch.conf")).content().contains("hosts: files dns\n");
  }

  @Test
  void theRunnersIdsHaveAName() throws IOException {
    layOut(RootfsPlan.ofHost(host));

    assertThat(rootfs.resolve("etc/passwd"))
        .content()
        .contains("root:x:0:0:", "nobody:x:65534:65534:", "sandbox:x:1001:1001:");
    assertThat(rootfs.resolve("etc/group"))
        .content()
        .contains("root:x:0:", "nogroup:x:65534:", "sandbox:x:1001:");
  }

  @Test
  void nothingOnlyRootMayReadGetsIn() throws IOException {
    write("etc/shadow", "secret");
    write("etc/ssl/private/key.pem", "secret");
    write("etc/ssl/certs/local.key", "secret");
    Files.setPosixFilePermissions(
        host.resolve("etc/ssl/certs/local.key"), PosixFilePermissions.fromString("rw-r-----"));
    write("etc/services", "secret");
    Files.setPosixFilePermissions(
        host.resolve("etc/services"), PosixFilePermissions.fromString("rw-------"));

    layOut(RootfsPlan.ofHost(host));

    assertThat(rootfs.resolve("etc/shadow")).doesNotExist();
    assertThat(rootfs.resolve("etc/ssl/private")).doesNotExist();
    assertThat(rootfs.resolve("etc/ssl/certs")).isEmptyDirectory();
    assertThat(rootfs.resolve("etc/services")).doesNotExist();
  }

  @Test
  void theHostsNameServersAreNotTold() throws IOException {
    write("etc/resolv.conf", "nameserver 192.0.2.1\nsearch corp.example\n");
    Path tree = Files.createDirectories(temp.resolve("tree"));

    layOut(RootfsPlan.ofHost(host));
    assertThat(rootfs.resolve("etc/resolv.conf")).content().startsWith("#").hasLineCount(1);
    layOut(RootfsPlan.ofTree(tree));
    assertThat(rootfs.resolve("etc/resolv.conf")).content().startsWith("#").hasLineCount(1);
  }

  @Test
  void aTreeBecomesTheRootWithoutWhatARunningMachineLeftInIt() throws IOException {
    Path tree = Files.createDirectory(temp.resolve("tree"));
    for (String name :
        List.of("usr/bin/node", "bin/sh", "proc/1/stat", "dev/null", "run/lock/x", "tmp/x")) {
      Files.createDirectories(tree.resolve(name).getParent());
      Files.writeString(tree.resolve(name), name);
    }
    Files.createDirectories(tree.resolve("etc"));
    Files.createSymbolicLink(tree.resolve("etc/resolv.conf"), Path.of("../run/resolv.conf"));
    Files.writeString(tree.resolve("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n");
    Files.writeString(tree.resolve("etc/group"), "root:x:0:\nusers:x:1001:\n");

    RootfsPlan plan = layOut(RootfsPlan.ofTree(tree));

    assertThat(plan.binds()).isEmpty();
    assertThat(rootfs.resolve("usr/bin/node")).hasContent("usr/bin/node");
    assertThat(rootfs.resolve("bin/sh")).hasContent("bin/sh");
    for (String name : List.of("proc", "dev", "tmp", "run")) {
      assertThat(rootfs.resolve(name)).isEmptyDirectory();
    }
    for (String name : MOUNT_POINTS) {
      assertThat(rootfs.resolve(name)).isDirectory();
    }
    assertThat(rootfs.resolve("etc/passwd"))
        .hasContent(
            """
            root:x:0:0:root:/root:/bin/sh
            sandbox:x:1001:1001:sandbox:/tmp:/bin/sh
            """);
    assertThat(rootfs.resolve("etc/group")).hasContent("root:x:0:\nusers:x:1001:\n");
    assertThat(tree.resolve("etc/passwd")).hasContent("root:x:0:0:root:/root:/bin/sh\n");
  }

  @Test
  void aTreesLinkedPasswordFileIsNotFollowedOutOfTheTree() throws IOException {
    Path tree = temp.resolve("tree");
    Files.createDirectories(tree.resolve("etc"));
    write("etc/shadow", "secret");
    Files.createSymbolicLink(tree.resolve("etc/passwd"), host.resolve("etc/shadow"));

    layOut(RootfsPlan.ofTree(tree));

    assertThat(rootfs.resolve("etc/passwd")).isRegularFile().content().doesNotContain("secret");
  }

  private RootfsPlan layOut(RootfsPlan plan) throws IOException {
    Path scratch = Files.createDirectories(temp.resolve("scratch"));
    plan.directory().carryOut(rootfs, scratch);
    return plan;
  }

  private void write(String name, String content) throws IOException {
    Path file = host.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, content);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
    if (name.equals("etc/shadow") || name.contains("private")) {
      Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    }
  }
}
