import "./index.css";
import { useDeferredInput } from "../../hooks/useDeferredInput.ts";
import type { EventFilter } from "../../model/filter.ts";
import { KINDS, nameOf, ROLES } from "../../model/kinds.ts";
import { safeLine } from "../../model/safe_text.ts";

interface LogFilterProps {
  readonly filter: EventFilter;
  /** Agents and runs that can be chosen. */
  readonly agents: readonly string[];
  readonly onChange: (change: Partial<EventFilter>) => void;
  readonly onClear: () => void;
  readonly isFiltering: boolean;
}

const NAME_LIMIT = 48;

/** Which events the log shows. */
export function LogFilter({ filter, agents, onChange, onClear, isFiltering }: LogFilterProps) {
  const [text, setText] = useDeferredInput(filter.text, (value) => onChange({ text: value }));
  return (
    <search className="log-filter">
      <input
        type="search"
        aria-label="Text in events"
        placeholder="Search events"
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <Choice
        name="Role"
        all="All roles"
        value={filter.role}
        values={ROLES}
        text={(role) => role.toLowerCase()}
        onChange={(role) => onChange({ role })}
      />
      <Choice
        name="Agent"
        all="All agents"
        value={filter.agent}
        values={agents}
        text={(agent) => safeLine(agent, NAME_LIMIT)}
        onChange={(agent) => onChange({ agent })}
      />
      <Choice
        name="Kind"
        all="All kinds"
        value={filter.kind}
        values={KINDS}
        text={nameOf}
        onChange={(kind) => onChange({ kind })}
      />
      {isFiltering ? (
        <button type="button" className="quiet" onClick={onClear}>
          Clear
        </button>
      ) : null}
    </search>
  );
}

interface ChoiceProps {
  readonly name: string;
  readonly all: string;
  readonly value: string;
  readonly values: readonly string[];
  readonly text: (value: string) => string;
  readonly onChange: (value: string) => void;
}

/** What is chosen by the address alone can be seen and unchosen, too. */
function Choice({ name, all, value, values, text, onChange }: ChoiceProps) {
  const listed = value === "" || values.includes(value) ? values : [value, ...values];
  return (
    <select
      aria-label={name}
      value={value}
      data-chosen={value !== "" || undefined}
      onChange={(event) => onChange(event.target.value)}
    >
      <option value="">{all}</option>
      {listed.map((one) => (
        <option key={one} value={one}>
          {text(one)}
        </option>
      ))}
    </select>
  );
}
