// `tenuto completion SHELL` prints what a shell needs to complete this command. The words come from the commands themselves: the script asks
// `tenuto __complete WORD…`, so it never has to be made again.

import type { Command, Option } from 'commander';

const SCRIPTS = {
  bash: `_tenuto() {
  local IFS=$'\\n'
  COMPREPLY=($(tenuto __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _tenuto tenuto
`,
  zsh: `#compdef tenuto
_tenuto() {
  local -a found
  found=("\${(@f)$(tenuto __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "\${found[*]}" ]]; then compadd -a found; else _files; fi
}
compdef _tenuto tenuto
`,
  fish: `function __tenuto_complete
  set -l begun (commandline -ct)
  tenuto __complete (commandline -opc)[2..-1] "$begun" 2>/dev/null
end
complete -c tenuto -a '(__tenuto_complete)'
`,
} as const;

export function defineCompletion(completion: Command): void {
  const shells = Object.entries(SCRIPTS);
  for (const [shell, script] of shells) {
    completion
      .command(shell)
      .description(`for ${shell}`)
      .action(() => {
        process.stdout.write(script);
      });
  }
  completion.addHelpText(
    'after',
    `
Examples:
  source <(tenuto completion bash)                                    # in ~/.bashrc
  source <(tenuto completion zsh)                                     # in ~/.zshrc
  tenuto completion fish > ~/.config/fish/completions/tenuto.fish`,
  );
}

/** Whose `argument` was begun by the last of `words`; '' : nothing of it yet. Nothing where only the user knows. */
export function completions(program: Command, words: readonly string[]): string[] {
  let command = program;
  let pending: Option | undefined;
  for (const word of words.slice(0, -1)) {
    if (pending !== undefined) pending = undefined;
    else if (word.startsWith('-')) pending = takesValue(command, word);
    else command = command.commands.find((each) => [each.name(), ...each.aliases()].includes(word)) ?? command;
  }
  const begun = words.at(-1) ?? '';
  return candidates(command, pending, begun).filter((word) => word.startsWith(begun));
}

function candidates(command: Command, pending: Option | undefined, begun: string): readonly string[] {
  if (pending !== undefined) return pending.argChoices ?? [];
  if (begun.startsWith('-')) {
    const help = command.createHelp();
    return help.visibleOptions(command).flatMap(({ long }) => long ?? []);
  }
  return command.commands.map((each) => each.name()).filter((name) => !name.startsWith('__'));
}

/** The option that `--flag` or `-f` begins; `--flag=value` has its value. */
function takesValue(command: Command, word: string): Option | undefined {
  const option = command.options.find(({ long, short }) => long === word || short === word);
  return option?.required === true ? option : undefined;
}
