# SPDX-License-Identifier: LGPL-2.1-or-later
# bash completion for h2k(8): words come from the program's own --help.
_h2k()
{
    local cur prev words cword command w
    _init_completion 2>/dev/null || {
        cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
        words=("${COMP_WORDS[@]}") cword=$COMP_CWORD
    }
    case $prev in
    --format) mapfile -t COMPREPLY < <(compgen -W 'raw qcow2 vmdk vpc vhd vhdx vdi' -- "$cur"); return ;;
    --backend) mapfile -t COMPREPLY < <(compgen -W 'auto nbd fuse loop' -- "$cur"); return ;;
    --firstboot-service) mapfile -t COMPREPLY < <(compgen -W 'auto wrapper registry' -- "$cur"); return ;;
    --initramfs) mapfile -t COMPREPLY < <(compgen -W 'auto inject rebuild none' -- "$cur"); return ;;
    --secure-boot) mapfile -t COMPREPLY < <(compgen -W 'auto on off' -- "$cur"); return ;;
    --root) mapfile -t COMPREPLY < <(compgen -W 'auto first single' -- "$cur"); return ;;
    -O | --output-format) mapfile -t COMPREPLY < <(compgen -W 'qcow2 raw vdi vmdk vhdx' -- "$cur"); return ;;
    --progress) mapfile -t COMPREPLY < <(compgen -W 'auto bar json none' -- "$cur"); return ;;
    --bus) mapfile -t COMPREPLY < <(compgen -W 'virtio virtio-scsi sata ide pvscsi' -- "$cur"); return ;;
    --accel) mapfile -t COMPREPLY < <(compgen -W 'auto kvm tcg' -- "$cur"); return ;;
    --work-dir | --output-dir | --allow-backing) mapfile -t COMPREPLY < <(compgen -d -- "$cur"); return ;;
    --only | --skip)
        mapfile -t COMPREPLY < <(compgen -W "$(h2k fixers 2>/dev/null | awk '/^[a-z]/ { print $1 }')" -- "$cur")
        return
        ;;
    esac
    command=
    for w in "${words[@]:1:cword-1}"; do
        case $w in -*) ;; *) command=$w; break ;; esac
    done
    case $cur in
    -*)
        mapfile -t COMPREPLY < <(compgen -W "$(h2k ${command:+"$command"} --help 2>/dev/null |
            grep -oE -- '--[a-z][a-z-]*' | sort -u)" -- "$cur")
        return
        ;;
    esac
    if [ -z "$command" ]; then
        mapfile -t COMPREPLY < <(compgen -W "$(h2k --help 2>/dev/null |
            awk '/^Commands:/ { on = 1; next } /^$/ { on = 0 } on { print $1 }')" -- "$cur")
        return
    fi
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
} && complete -o filenames -F _h2k h2k
