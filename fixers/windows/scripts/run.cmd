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
rem With "log" as argument it writes its log itself; "remove" is how it goes away.
setlocal
set "dir=%~dp0"
set "dir=%dir:~0,-1%"
set "state=%dir%\state"
set "PATH=%SystemRoot%\system32;%SystemRoot%;%SystemRoot%\system32\wbem;%SystemRoot%\system32\WindowsPowerShell\v1.0;%PATH%"
set seconds=3600
if "%~1"=="log" goto with_log
if "%~1"=="remove" goto remove
if not exist "%state%" md "%state%"
echo %date% %time% start
set halt=
set left=
cd /d "%dir%\scripts"
for %%f in (*) do call :one "%dir%\scripts\%%f"
for %%f in (*) do set left=1
cd /d "%SystemRoot%"
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
set limit=
if exist "%dir%\h2ksvc.exe" set "limit=%dir%\h2ksvc.exe limit %seconds%"
if /i "%~x1"==".ps1" goto powershell
if /i "%~x1"==".vbs" goto vbscript
%limit% %SystemRoot%\system32\cmd.exe /c "%file%" <nul
goto ended
:powershell
%limit% powershell.exe -NoProfile -NonInteractive -ExecutionPolicy Bypass -File "%file%" <nul
goto ended
:vbscript
%limit% cscript.exe //nologo //t:%seconds% "%file%" <nul
:ended
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
