import { Loading } from "../../components/Notice/index.tsx";
import { PageFrame } from "../../components/PageFrame/index.tsx";

export default function SqlPage() {
  return (
    <PageFrame title="Sql">
      <Loading what="this page" />
    </PageFrame>
  );
}
