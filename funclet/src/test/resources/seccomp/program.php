<?php
// What PHP programs do: children, streams, sockets, files.
function check(bool $holds): void
{
    if (!$holds) {
        throw new Exception('failed');
    }
}

check(shell_exec('echo hello') === "hello\n");
$child = proc_open(['/bin/cat'], [['pipe', 'r'], ['pipe', 'w']], $pipes);
fwrite($pipes[0], 'x');
fclose($pipes[0]);
check(stream_get_contents($pipes[1]) === 'x' && proc_close($child) === 0);
if (($pid = pcntl_fork()) === 0) {
    exit(3);
}
check(pcntl_waitpid($pid, $status) === $pid && pcntl_wexitstatus($status) === 3);

$file = tempnam('/tmp', 'php');
file_put_contents($file, 'text', LOCK_EX);
check(copy($file, "$file.copy") && file_get_contents("$file.copy") === 'text');

$server = stream_socket_server('tcp://127.0.0.1:0');
$client = stream_socket_client('tcp://' . stream_socket_get_name($server, false));
fwrite($client, "line\n");
check(fgets(stream_socket_accept($server)) === "line\n");
usleep(1000);
echo "fine\n";
