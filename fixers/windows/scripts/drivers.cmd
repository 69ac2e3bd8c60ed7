@echo off
rem SPDX-License-Identifier: LGPL-2.1-or-later
rem Install every driver below Drivers\VirtIO; "before" and "behind" say how. While an waits for a
rem restart that fails, so Windows is started again first, but not for ever: some programs always
rem want one.
if "%try%"=="3" goto install
reg query "HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending" >nul 2>&1
if not errorlevel 1 goto pending
reg query "HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired" >nul 2>&1
if not errorlevel 1 goto pending
reg query "HKLM\SYSTEM\CurrentControlSet\Control\Session Manager" /v PendingFileRenameOperations >nul 2>&1
if not errorlevel 1 goto pending
:install
set result=0
rem one package that hangs does not cost the others
set limit=
set "service=%SystemRoot%\h2k\firstboot\h2ksvc.exe"
if exist "%service%" set "limit=%service% limit 300"
rem who signed them is trusted: the question would wait for ever
for %%f in ("%SystemRoot%\Drivers\VirtIO\*.cer") do %limit% certutil -addstore -f TrustedPublisher "%%f"
for /r "%SystemRoot%\Drivers\VirtIO" %%f in (*.inf) do call :one "%%f"
exit %result%

:pending
echo an update waits for a restart
exit 249

:one
echo %~1
%limit% pnputil %before% "%~1" %behind%
set code=%errorlevel%
rem 259: there is no such device, or its driver is newer
if "%code%"=="0" goto :eof
if "%code%"=="259" goto :eof
if "%code%"=="3010" goto restart
if "%code%"=="1641" goto restart
echo that failed with %code%
if "%result%"=="0" set result=1
goto :eof
:restart
if not "%result%"=="1" set result=3010
goto :eof
