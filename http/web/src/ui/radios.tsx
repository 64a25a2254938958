// SPDX-License-Identifier: MIT
// One of several choices.
interface Props { name: string; label: string; value: string; choices: [string, string][]; onChoose: (value: string) => void; row?: boolean; titled?: boolean }

export const Radios = ({ name, label, value, choices, onChoose, row = false, titled = false }: Props) => (
  <fieldset class={`radios ${row ? 'radios-row' : ''}`}>
    <legend class={titled ? '' : 'visually-hidden'}>{label}</legend>
    {choices.map(([key, text]) => (
      <label key={key} class="radio"><input type="radio" name={name} value={key} checked={value === key} onChange={() => onChoose(key)} /><span>{text}</span></label>
    ))}
  </fieldset>
);
