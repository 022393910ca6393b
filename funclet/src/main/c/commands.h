// The subcommands. Each returns the exit status of docs/launcher.md.

#ifndef EASYFAAS_COMMANDS_H
#define EASYFAAS_COMMANDS_H

enum { EXIT_SETUP = 125, EXIT_NOT_EXECUTABLE = 126, EXIT_NOT_FOUND = 127, EXIT_SIGNAL = 128 };

int serve_main(const char *socket_path);
int run_main(int argc, char **argv);
int check_main(void);

#endif
