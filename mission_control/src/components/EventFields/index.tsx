import "./index.css";
import { type Field, fieldsOf, wordsOf } from "../../model/event_fields.ts";
import { safeText } from "../../model/safe_text.ts";
import type { SwarmEventView } from "../../types/swarm_event.ts";
import { LongText } from "../LongText/index.tsx";

/** What an event says, field by field. */
export function EventFields({ event }: { readonly event: SwarmEventView }) {
  const fields = fieldsOf(event.payload);
  if (event.undecodableReason) return <LongText text={event.undecodableReason} />;
  if (fields.length === 0) return <p className="faint">It says nothing more.</p>;
  return (
    <dl className="event-fields">
      {fields.map((field) => (
        <div key={field.name} data-form={field.form}>
          <dt>{wordsOf(field.name)}</dt>
          <dd>
            <FieldValue field={field} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function FieldValue({ field }: { readonly field: Field }) {
  const text = field.texts[0] ?? "";
  switch (field.form) {
    case "list":
      return (
        <ul className="event-list">
          {field.texts.map((one, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the list never changes, and may repeat
            <li key={index}>
              <LongText text={one} />
            </li>
          ))}
        </ul>
      );
    case "digest":
      return <code className="event-digest">{safeText(text)}</code>;
    case "code":
      return <LongText text={text} form="code" />;
    case "diff":
      return <Patch text={text} />;
    default:
      return <LongText text={text} />;
  }
}

const PATCH_LINES = 400;

/** A unified diff, its lines told apart by sign and colour. */
function Patch({ text }: { readonly text: string }) {
  const lines = text.split("\n");
  if (lines.length > PATCH_LINES) return <LongText text={text} form="code" />;
  return (
    <pre className="event-patch">
      {lines.map((line, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the lines never change, and may repeat
        <span key={index} className="untrusted" data-sign={line.charAt(0)}>
          {safeText(line)}
          {"\n"}
        </span>
      ))}
    </pre>
  );
}
