#!/bin/bash
#%stage: boot
