@echo off
rem SPDX-License-Identifier: LGPL-2.1-or-later
rem Install QEMU's guest agent. Windows Installer does one thing at a time (1618): when it has to do
rem with another one for long, it is for the next start.
set tries=0
:again
msiexec /i "%SystemRoot%\h2k\firstboot\guest-agent.msi" /qn /norestart /l*v "%SystemRoot%\h2k\guest-agent.log"
set code=%errorlevel%
if not "%code%"=="1618" exit %code%
set /a tries=tries+1
if "%tries%"=="20" exit 248
ping -n 16 127.0.0.1 >nul
goto again
