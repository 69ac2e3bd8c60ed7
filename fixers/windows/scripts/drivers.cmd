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
set number=0
rem who signed them is trusted: the question would wait for ever
for %%f in (%SystemRoot%\Drivers\VirtIO\*.cer) do call :trust "%%f"
for /r "%SystemRoot%\Drivers\VirtIO" %%f in (*.inf) do call :one "%%f"
exit %result%

:pending
echo an update waits for a restart
exit 249

:one
echo %~1
set command=pnputil %before% "%~1" %behind%
call :limited
rem 259: there is no such device, or its driver is newer
if "%code%"=="0" goto :eof
if "%code%"=="259" goto :eof
if "%code%"=="3010" goto restart
if "%code%"=="1641" goto restart
echo that failed with %code%
if "%result%"=="0" set result=1
goto :eof
rem what works needs it, whatever else has failed
:restart
set result=3010
goto :eof

:trust
set command=certutil -addstore -f TrustedPublisher "%~1"
call :limited
if not "%code%"=="0" echo %~1 failed with %code%
goto :eof

rem one that hangs does not cost the others
:limited
set /a number=number+1
%SystemRoot%\system32\cmd.exe /c %SystemRoot%\h2k\firstboot\run.cmd limit package-%number% 300
set code=%errorlevel%
goto :eof
