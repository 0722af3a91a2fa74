// The scripts that teach a shell to complete cairn's command lines. They hold the names of the commands, so that the shell can show
// them at once, and ask `cairn completion --words` for everything else: options come from the very program that takes them.
// Specified by cairn-completion(1).

export const completionShells = ['bash', 'zsh', 'fish'] as const;
export type CompletionShell = (typeof completionShells)[number];

/** A command's name and what it does, as the shells that explain words show it. */
export interface ExplainedCommand {
  readonly name: string;
  readonly summary: string;
}

/** The script of a shell, to be read by it when it starts. */
export function formatCompletionScript(shell: CompletionShell, commands: readonly ExplainedCommand[]): string {
  switch (shell) {
    case 'bash': return bash(commands);
    case 'zsh': return zsh(commands);
    case 'fish': return fish(commands);
  }
}

/**
 * Bash cuts words also at '=', ':' and '@': they are put together again to be looked up, and what lies before the last cut is taken off
 * what is found, since bash replaces only the piece behind it.
 */
function bash(commands: readonly ExplainedCommand[]): string {
  return `# bash completion for cairn; made by 'cairn completion bash'.
_cairn_commands='${commands.map(({ name }) => name).join(' ')}'

_cairn() {
  local IFS=$'\\n' word piece line joined='' typed='' cut='' at=0 words=()
  COMPREPLY=()
  for ((at = 1; at <= COMP_CWORD; at += 1)); do
    piece=\${COMP_WORDS[at]}
    if ((at > 1)) && [[ \${#words[@]} -gt 0 && ( $joined == yes || ( $piece =~ ^[=:@]+$ ) ) ]]; then
      words[\${#words[@]} - 1]+=$piece
    else
      words+=("$piece")
    fi
    if [[ $piece =~ ^[=:@]+$ ]]; then joined=yes; else joined=''; fi
  done
  piece=\${COMP_WORDS[COMP_CWORD]}
  typed=\${words[\${#words[@]} - 1]}
  [[ $piece =~ ^[=:@]+$ ]] && piece=''
  cut=\${typed:0:\${#typed} - \${#piece}}
  if [[ \${#words[@]} -eq 1 && $typed != -* ]]; then
    IFS=$' \\n'
    COMPREPLY=($(compgen -W "$_cairn_commands" -- "$typed"))
    return
  fi
  local quote=''
  [[ $typed == [\\"\\']* ]] && quote=\${typed:0:1}
  for ((at = 0; at < \${#words[@]}; at += 1)); do
    word=\${words[at]}
    [[ $word == [\\"\\']* ]] && word=\${word:1} && word=\${word%[\\"\\']}
    words[at]=\${word//\\\\/}
  done
  cut=\${cut//\\\\/}
  while read -r line; do
    word=\${line%%$'\\t'*}
    word=\${word#"$cut"}
    [[ -n $quote ]] || printf -v word %q "$word"
    [[ $word == *[/=:] ]] || word+=' '
    COMPREPLY+=("$word")
  done < <("\${COMP_WORDS[0]}" completion --words -- "\${words[@]}" 2>/dev/null)
  # A space ends what is complete; with more than one candidate bash shows them without it.
  compopt -o nospace 2>/dev/null
  return 0
}

complete -F _cairn cairn
`;
}

function zsh(commands: readonly ExplainedCommand[]): string {
  return `#compdef cairn
# zsh completion for cairn; made by 'cairn completion zsh'.
_cairn_commands=(
${commands.map(({ name, summary }) => `  ${singleQuoted(`${name}:${summary}`)}`).join('\n')}
)

_cairn() {
  local line word
  local -a typed ended open endedShown openShown
  typed=("\${(@Q)words[2,CURRENT]}")
  if (( CURRENT == 2 )) && [[ $typed[1] != -* ]]; then
    _describe -t commands 'cairn command' _cairn_commands
    return
  fi
  for line in "\${(@f)$(command "\${words[1]}" completion --words -- "\${typed[@]}" 2>/dev/null)}"; do
    word=\${line%%$'\\t'*}
    [[ -n $word ]] || continue
    if [[ $word == *[/=:] ]]; then
      open+=("$word"); openShown+=("\${line/$'\\t'/  -- }")
    else
      ended+=("$word"); endedShown+=("\${line/$'\\t'/  -- }")
    fi
  done
  (( $#ended )) && compadd -l -d endedShown -- "\${ended[@]}"
  (( $#open )) && compadd -S '' -l -d openShown -- "\${open[@]}"
  return 0
}

if (( $+functions[compdef] )); then compdef _cairn cairn; fi
`;
}

function fish(commands: readonly ExplainedCommand[]): string {
  return `# fish completion for cairn; made by 'cairn completion fish'.
function __cairn_words
    set -l typed (commandline -opc) (commandline -ct)
    command $typed[1] completion --words -- $typed[2..-1] 2>/dev/null
end

complete -c cairn -f
${commands.map(({ name, summary }) => `complete -c cairn -n __fish_use_subcommand -a ${singleQuoted(name)} -d ${fishQuoted(summary)}`).join('\n')}
complete -c cairn -n 'not __fish_use_subcommand; or string match -q -- "-*" (commandline -ct)' -a '(__cairn_words)'
`;
}

function singleQuoted(text: string): string {
  return `'${text.replaceAll('\'', '\'\\\'\'')}'`;
}

function fishQuoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll('\'', '\\\'')}'`;
}
