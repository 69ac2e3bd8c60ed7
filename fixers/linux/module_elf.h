/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kernel modules as depmod needs them. */
#ifndef H2K_FIXERS_LINUX_MODULE_ELF_H
#define H2K_FIXERS_LINUX_MODULE_ELF_H

#include <stddef.h>

/*
 * Write the module to the empty file @fd, with holes in place of its code and relocations: depmod
 * reads symbols and texts only, and these are two thirds of a module. What is no 64-bit
 * little-endian ELF file (a compressed module) is written as it is. 0 or negative errno.
 *
 * ELF: System V gABI, "Object Files" (struct Elf64_Ehdr, Elf64_Shdr; <elf.h>).
 */
int module_elf_write(int fd, const void *data, size_t len);

#endif
