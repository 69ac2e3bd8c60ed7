@echo off
rem SPDX-License-Identifier: LGPL-2.1-or-later
rem Run each script of the folder "scripts" once, in order of their names. What a script ends with:
rem   0 250 259   done
rem   3010 1641   done; Windows is to be started again before the next one
rem   249         again, after Windows has been started again
rem   248         again, at the next start; the others go on
rem   others      failed; the others go on
rem A script has three tries, and Windows is started again five times at most. Files in "state"
rem count both, so a power failure loses no more than the try in which it happens. A script of the
rem user (8...) that was interrupted is not run again: what it has done already is not known.
rem When no script is left, the service and this folder go away; the log stays.
rem With "log" as argument it writes its log itself; "remove" is how it goes away; "limit NAME SECONDS"
rem runs %command% with a time limit, for scripts that have one for each of their steps.
setlocal
set "dir=%~dp0"
set "dir=%dir:~0,-1%"
set "state=%dir%\state"
set "PATH=%SystemRoot%\system32;%SystemRoot%;%SystemRoot%\system32\wbem;%SystemRoot%\system32\WindowsPowerShell\v1.0;%PATH%"
set seconds=3600
if "%~1"=="log" goto with_log
if "%~1"=="remove" goto remove
if "%~1"=="limit" goto limit
if "%~1"=="command" goto command
if not exist "%state%" md "%state%"
echo %date% %time% start
set halt=
set left=
rem what a script leaves running does not hold its folder (Wine finds nothing in quotes)
cd /d "%SystemRoot%"
for %%f in (%dir%\scripts\*) do call :one "%%f"
for %%f in (%dir%\scripts\*) do if not exist "%state%\%%~nxf.done" set left=1
if defined halt goto restart
if defined left goto end
echo %date% %time% all done
sc delete h2k-firstboot >nul
start "" /b cmd /c "%~f0" remove & exit

:with_log
cmd /c "%~f0" <nul >>"%dir%.log" 2>&1
exit

:remove
cd /d "%SystemRoot%"
for /l %%i in (1,1,60) do call :wait
rd /s /q "%dir%" >nul 2>&1 & exit

:wait
if not exist "%dir%\h2ksvc.exe" goto :eof
ping -n 2 127.0.0.1 >nul
del "%dir%\h2ksvc.exe"
goto :eof

:restart
echo %date% %time% Windows is started again
shutdown -r -f -t 5
:end
exit

:one
if defined halt goto :eof
set "file=%~1"
set "name=%~nx1"
if exist "%state%\%name%.done" goto finished
set "running=%state%\%name%.running"
if not exist "%running%" goto next_try
echo %date% %time% %name% was interrupted
del "%running%"
if "%name:~0,1%"=="8" goto finished
:next_try
set try=
for %%t in (3 2 1) do if not exist "%state%\%name%.%%t" set try=%%t
if not defined try goto given_up
echo %try% >"%state%\%name%.%try%"
echo %try% >"%running%"
echo %date% %time% %name% starts
set command=%SystemRoot%\system32\cmd.exe /c "%file%"
if /i "%~x1"==".ps1" set command=powershell.exe -NoProfile -NonInteractive -ExecutionPolicy Bypass -File "%file%"
if /i "%~x1"==".vbs" set command=cscript.exe //nologo "%file%"
call :limit limit %name% %seconds%
set code=%errorlevel%
del "%running%"
echo %date% %time% %name% ended with %code%
if "%code%"=="248" goto again
if "%code%"=="249" goto again
if "%code%"=="3010" call :want_restart
if "%code%"=="1641" call :want_restart
goto finished

:again
if "%try%"=="3" goto given_up
if "%code%"=="249" call :want_restart
goto :eof

:given_up
echo %date% %time% %name% is given up after three tries
:finished
del "%file%"
rem it may be in use, when it could not be ended; a new one of that name is not meant
if exist "%file%" echo %try% >"%state%\%name%.done"
goto :eof

:want_restart
set number=
for %%r in (5 4 3 2 1) do if not exist "%state%\restart.%%r" set number=%%r
if not defined number goto no_restart
echo %number% >"%state%\restart.%number%"
set halt=1
goto :eof
:no_restart
echo %date% %time% Windows was started again often enough
goto :eof

rem The program of the service ends what takes too long, with all that it has started. Without it
rem there is no more than every Windows has: the command runs beside this, which looks each second
rem whether it has ended. When it can not be ended (XP Home has neither wmic nor taskkill), it is left
rem alone, and the others go on. A second counts only if ping could wait that long.
:limit
if not exist "%dir%\h2ksvc.exe" goto limit_by_cmd
"%dir%\h2ksvc.exe" limit %3 %command% <nul
exit /b %errorlevel%
:limit_by_cmd
set "ended=%state%\%2.ended"
if exist "%ended%" del "%ended%"
start "" /b %SystemRoot%\system32\cmd.exe /c %dir%\run.cmd command %2 <nul
set waited=0
:look
if exist "%ended%" goto has_ended
ping -n 2 127.0.0.1 >nul && set /a waited=waited+1
if %waited% lss %3 goto look
rem the brackets: this does not find the command line that it stands in itself
set "powershell=%SystemRoot%\system32\WindowsPowerShell\v1.0\powershell.exe"
if exist "%powershell%" goto end_by_powershell
wmic process where "Name='cmd.exe' and CommandLine like '%%run.cmd [c]ommand %2%%'" get ProcessId <nul >"%state%\%2.found" 2>nul
for /f %%p in ('type "%state%\%2.found"') do taskkill /f /t /pid %%p >nul 2>&1
exit /b 1460
:end_by_powershell
"%powershell%" -NoProfile -NonInteractive -Command "Get-WmiObject Win32_Process -Filter 'Name=''cmd.exe'' and CommandLine like ''%%run.cmd [c]ommand %2%%''' | ForEach-Object { taskkill /f /t /pid $_.ProcessId }" <nul >nul 2>&1
exit /b 1460
:has_ended
set /p ended=<"%ended%"
del "%state%\%2.ended"
exit /b %ended%

:command
%command% <nul
set code=%errorlevel%
>"%state%\%2.code" echo %code%
ren "%state%\%2.code" %2.ended
exit
