/**
 * Completion scripts: each hands the words to `sallyport __complete` and takes `value<TAB>description` lines,
 * the last one `:0` (values) or `:1` (file names), after Cobra's protocol.
 * @module
 */

/** Shells with a script. */
export const shells = ['bash', 'zsh', 'fish', 'powershell'] as const

const bash = `# bash completion for sallyport
_sallyport() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" line last
  local -a lines values
  mapfile -t lines < <(sallyport __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  [ "\${#lines[@]}" -gt 0 ] || return
  last="\${lines[-1]}"
  unset 'lines[-1]'
  COMPREPLY=()
  for line in "\${lines[@]}"; do
    COMPREPLY+=("\${line%%$'\\t'*}")
  done
  if [ "$last" = ":1" ] && [ "\${#COMPREPLY[@]}" -eq 0 ]; then
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
  fi
}
complete -F _sallyport sallyport
`

const zsh = `#compdef sallyport
# zsh completion for sallyport
_sallyport() {
  local -a lines described
  local line last
  lines=("\${(@f)$(sallyport __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  (( \${#lines} )) || return 1
  last="\${lines[-1]}"
  lines[-1]=()
  for line in "\${lines[@]}"; do
    [[ -n "$line" ]] || continue
    described+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  if (( \${#described} )); then
    _describe 'sallyport' described
  elif [[ "$last" == ":1" ]]; then
    _files
  fi
}
if [ "$funcstack[1]" = "_sallyport" ]; then
  _sallyport "$@"
else
  compdef _sallyport sallyport
fi
`

const fish = `# fish completion for sallyport
function __sallyport_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l lines (sallyport __complete $words[2..-1] 2>/dev/null)
  test (count $lines) -gt 0; or return
  set -l last $lines[-1]
  set -e lines[-1]
  if test (count $lines) -eq 0; and test "$last" = ":1"
    __fish_complete_path (commandline -ct)
    return
  end
  printf '%s\\n' $lines
end
complete -c sallyport -f -a '(__sallyport_complete)'
`

const powershell = `# PowerShell completion for sallyport
Register-ArgumentCompleter -Native -CommandName sallyport -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $words = @($commandAst.CommandElements | Select-Object -Skip 1 | ForEach-Object { $_.ToString() })
  if ($wordToComplete -eq '') { $words += '' }
  $lines = @(& sallyport __complete @words 2>$null)
  if ($lines.Count -eq 0) { return }
  $lines | Select-Object -SkipLast 1 | ForEach-Object {
    $value, $description = $_ -split "\\t", 2
    if (-not $description) { $description = $value }
    [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $description)
  }
}
`

/** The scripts. */
export const completionScripts: Record<(typeof shells)[number], string> = {
  bash,
  zsh,
  fish,
  powershell,
}
