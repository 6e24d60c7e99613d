import { Loading } from "../../components/Notice/index.tsx";

export default function IndexPage() {
  return <Loading what="the swarm" />;
}
