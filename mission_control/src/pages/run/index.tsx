import { Loading } from "../../components/Notice/index.tsx";
import { PageFrame } from "../../components/PageFrame/index.tsx";

export default function RunPage() {
  return (
    <PageFrame title="Run">
      <Loading what="this page" />
    </PageFrame>
  );
}
