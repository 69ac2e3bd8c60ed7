@echo off
rem SPDX-License-Identifier: LGPL-2.1-or-later
rem Remove the tools of the hypervisor that this machine came from: what is installed under one of
rem the names below. VMware's package refuses that outside of VMware; then its services and
rem drivers are removed one by one.
set result=0
set "log=%SystemRoot%\h2k\remove-tools.log"
set "list=SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall"
call :all "HKLM\%list%"
set "list=SOFTWARE\Wow6432Node\Microsoft\Windows\CurrentVersion\Uninstall"
call :all "HKLM\%list%"
exit %result%

:all
for /f "delims=" %%k in ('reg query %1') do call :look "%%k"
goto :eof

:look
set "key=%~1"
set "product=%~nx1"
set name=
set wait=
for /f "tokens=2,*" %%a in ('reg query "%key%" /v DisplayName 2^>nul') do if "%%a"=="REG_SZ" set "name=%%b"
if not defined name goto :eof
set "name=%name:"=%"
rem without what is looked for the name is another one
if not "%name:VMware Tools=%"=="%name%" goto vmware
if not "%name:Parallels Tools=%"=="%name%" goto parallels
if not "%name:VirtualBox Guest Additions=%"=="%name%" goto nsis
if not "%name:Red Hat Paravirtualized Xen=%"=="%name%" goto program
if not "%name:XenServer=%"=="%name%" goto package
if not "%name:Citrix Hypervisor=%"=="%name%" goto package
if not "%name:XCP-ng=%"=="%name%" goto package
if not "%name:AWS PV Drivers=%"=="%name%" goto package
goto :eof

:parallels
reg delete HKLM\SYSTEM\CurrentControlSet\Services\prl_strg\DriverInfo /v RefCount /f >nul 2>&1
call :uninstall PREVENT_REBOOT=Yes LAUNCHED_BY_SETUP_EXE=Yes
goto :eof

:package
if not "%product:~0,1%"=="{" goto program
call :uninstall
goto :eof

:vmware
call :uninstall
if "%code%"=="0" goto :eof
if "%code%"=="3010" goto :eof
if "%code%"=="1605" goto :eof
echo VMware's package does not remove itself: its parts are
set result=%before%
for %%s in (VMTools VGAuthService vmvss VMwareCAFCommAmqpListener VMwareCAFManagementAgentHost vm3dservice vmmemctl vmhgfs vmrawdsk vmStatsProvider) do call :service %%s
reg delete HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Run /v "VMware User Process" /f >nul 2>&1
reg delete HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Run /v "VMware VM3DService Process" /f >nul 2>&1
if defined drivers powershell.exe -NoProfile -NonInteractive -Command "Get-WindowsDriver -Online | Where-Object { $_.ProviderName -like 'VMware*' } | ForEach-Object { pnputil /delete-driver $_.Driver /uninstall /force }" <nul
reg delete "HKLM\SOFTWARE\VMware, Inc.\VMware Tools" /f >nul 2>&1
reg delete "%key%" /f
rd /s /q "%ProgramFiles%\VMware\VMware Tools"
goto :eof

:service
sc query %1 >nul 2>&1
if errorlevel 1 goto :eof
echo %1
sc stop %1 >nul
sc delete %1
goto :eof

rem that of VirtualBox would go on by a copy of itself when it has ended: told its folder, it does not
:nsis
set wait=1
rem one that is no package of Windows Installer: its own program, without questions
:program
set program=
for /f "tokens=2,*" %%a in ('reg query "%key%" /v UninstallString') do set "program=%%b"
if not defined program goto :eof
for /f "tokens=2" %%a in ('reg query "%key%" /v UninstallString') do set "kind=%%a"
rem the names of variables in it
if "%kind%"=="REG_EXPAND_SZ" call set "program=%program%"
rem the path of a program may stand there without quotes
set "plain=%program:"=%"
if not exist "%plain%" goto run
set program="%plain%"
if not defined wait goto run
for %%p in ("%plain%") do set "folder=%%~dpp"
echo %program% /S _?=%folder:~0,-1%
%program% /S _?=%folder:~0,-1%
goto result
:run
echo %program% /S
%program% /S
goto result

:uninstall
set before=%result%
set tries=0
echo %name%
:again
msiexec /x %product% /qn /norestart REBOOT=ReallySuppress REMOVE=ALL %* /l*v "%log%"
set code=%errorlevel%
rem Windows Installer does one thing at a time; then this is for the next start
if not "%code%"=="1618" goto judge
set /a tries=tries+1
if "%tries%"=="20" exit 248
ping -n 16 127.0.0.1 >nul
goto again
:result
set code=%errorlevel%
:judge
if "%code%"=="1641" set code=3010
if "%code%"=="3010" set result=3010
if "%code%"=="0" goto :eof
if "%code%"=="3010" goto :eof
if "%code%"=="1605" goto :eof
echo that failed with %code%
if "%result%"=="0" set result=1
goto :eof
