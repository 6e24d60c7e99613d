import { Loading } from "../../components/Notice/index.tsx";
import { PageFrame } from "../../components/PageFrame/index.tsx";

export default function DebugPage() {
  return (
    <PageFrame title="Debug">
      <Loading what="this page" />
    </PageFrame>
  );
}
