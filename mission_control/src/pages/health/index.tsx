import { Loading } from "../../components/Notice/index.tsx";
import { PageFrame } from "../../components/PageFrame/index.tsx";

export default function HealthPage() {
  return (
    <PageFrame title="Health">
      <Loading what="this page" />
    </PageFrame>
  );
}
