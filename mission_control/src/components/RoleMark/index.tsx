import "./index.css";
import { roleToken } from "../../model/kinds.ts";
import type { Role } from "../../types/swarm_event.ts";

/** A role: its first letter on its colour. */
export function RoleMark({ role }: { readonly role: Role }) {
  const token = roleToken(role);
  return (
    <span className="role-mark" data-role={token} title={role.toLowerCase()}>
      <span aria-hidden="true">{token === "unspecified" ? "·" : role.charAt(0)}</span>
      <span className="visually-hidden">{role.toLowerCase()}</span>
    </span>
  );
}
