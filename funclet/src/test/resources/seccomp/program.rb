# What Ruby programs do: threads, children, files, sockets.
require 'fileutils'
require 'open3'
require 'socket'
require 'tempfile'

def check(holds)
  raise 'failed' unless holds
end

check Array.new(8) { |n| Thread.new { n } }.sum(&:value) == 28
check `echo hello` == "hello\n"
check Open3.capture2('/bin/cat', stdin_data: 'x')[0] == 'x'
Process.wait(fork { exit 3 })
check $?.exitstatus == 3

Tempfile.create do |file|
  file.flock(File::LOCK_EX)
  file.write('text')
  file.fsync
  FileUtils.cp(file.path, "#{file.path}.copy")
  check File.read("#{file.path}.copy") == 'text'
end
File.mkfifo('/tmp/pipe')

server = TCPServer.new('127.0.0.1', 0)
client = TCPSocket.new('127.0.0.1', server.addr[1])
client.setsockopt(Socket::IPPROTO_TCP, Socket::TCP_NODELAY, 1)
client.puts('line')
check server.accept.gets == "line\n"
UNIXSocket.pair
sleep 0.001
GC.compact
puts 'fine'
