/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A program of Windows that Wine has not: it says how it was called, on standard output and in
 * C:\said.txt, and ends as C:\answers.txt has it. Each line there is CODE|WORDS|TEXT; the first
 * whose WORDS are in "NAME ARGUMENTS" counts, TEXT is printed. The code "hangs": it never ends.
 * A line is used up when its code begins with "once ".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#define LINES 64

static char lines[LINES][512];
static int n_lines;

static void read_answers(void)
{
    FILE *file = fopen("C:\\answers.txt", "r");

    while (file && n_lines < LINES && fgets(lines[n_lines], sizeof(lines[0]), file)) {
        lines[n_lines][strcspn(lines[n_lines], "\r\n")] = 0;
        n_lines++;
    }
    if (file)
        fclose(file);
}

static void write_answers_without(int used)
{
    FILE *file = fopen("C:\\answers.txt", "w");

    for (int i = 0; file && i < n_lines; i++)
        if (i != used)
            fprintf(file, "%s\n", lines[i]);
    if (file)
        fclose(file);
}

static int answer(const char *said)
{
    for (int i = 0; i < n_lines; i++) {
        char line[512], *code = line, *words, *text;

        strcpy(line, lines[i]);
        words = strchr(line, '|');
        text = words ? strchr(words + 1, '|') : NULL;
        if (!text)
            continue;
        *words++ = *text++ = 0;
        if (!strstr(said, words))
            continue;
        if (*text)
            puts(text);
        fflush(stdout);
        if (strncmp(code, "once ", 5) == 0) {
            write_answers_without(i);
            code += 5;
        }
        while (strcmp(code, "hangs") == 0)
            Sleep(1000);
        return atoi(code);
    }
    return 0;
}

int main(void)
{
    const char *line = GetCommandLineA(), *arguments = line;
    char path[MAX_PATH], said[4096], *name;
    FILE *file;
    int quoted = 0;

    for (; *arguments && (quoted || *arguments != ' '); arguments++)
        if (*arguments == '"')
            quoted = !quoted;
    arguments += strspn(arguments, " ");
    GetModuleFileNameA(NULL, path, sizeof(path));
    name = strrchr(path, '\\') + 1;
    name[strcspn(name, ".")] = 0;
    snprintf(said, sizeof(said), "%s %s", name, arguments);
    while (said[strlen(said) - 1] == ' ')
        said[strlen(said) - 1] = 0;
    puts(said);
    file = fopen("C:\\said.txt", "a");
    fprintf(file, "%s\n", said);
    fclose(file);
    read_answers();
    return answer(said);
}
