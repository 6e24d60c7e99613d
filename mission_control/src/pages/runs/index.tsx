import { Loading } from "../../components/Notice/index.tsx";
import { PageFrame } from "../../components/PageFrame/index.tsx";

export default function RunsPage() {
  return (
    <PageFrame title="Runs">
      <Loading what="this page" />
    </PageFrame>
  );
}
