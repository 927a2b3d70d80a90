package io.github.dl4jfuse.device;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import java.io.PrintWriter;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.discovery.MethodSelector;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;

/**
 * Runs tests of {@link AgreementTest} where there is no Maven: those that the arguments name, in that order. Each has {@value
 * #SECONDS_PER_TEST} seconds, and its result is printed when it ends, so that a run that is cut off has said what it knew.
 * Exit code 1 when a test fails or none ran.
 */
final class RunOnDevice {

    private static final int SECONDS_PER_TEST = 30;

    private RunOnDevice() {}

    public static void main(String[] args) {
        boolean passed = true;
        for (String name : args) {
            passed &= run(selectMethod(AgreementTest.class, method(name)));
        }
        System.exit(passed && args.length > 0 ? 0 : 1);
    }

    private static java.lang.reflect.Method method(String name) {
        for (java.lang.reflect.Method method : AgreementTest.class.getDeclaredMethods()) {
            if (method.getName().equals(name)) {
                return method;
            }
        }
        throw new IllegalArgumentException("AgreementTest has no test " + name + ".");
    }

    private static boolean run(MethodSelector test) {
        LauncherDiscoveryRequest request = LauncherDiscoveryRequestBuilder.request()
                .selectors(test)
                .configurationParameter(
                        "junit.jupiter.execution.timeout.testable.method.default", String.valueOf(SECONDS_PER_TEST))
                .configurationParameter("junit.jupiter.execution.timeout.thread.mode.default", "SEPARATE_THREAD")
                .build();
        SummaryGeneratingListener summary = new SummaryGeneratingListener();
        LauncherFactory.create().execute(request, summary, new Printer(test.getMethodName()));
        summary.getSummary().printFailuresTo(new PrintWriter(System.out, true), 12);
        return summary.getSummary().getTotalFailureCount() == 0
                && summary.getSummary().getTestsSucceededCount() > 0;
    }

    private record Printer(String test, Map<String, Long> begun) implements TestExecutionListener {

        Printer(String test) {
            this(test, new ConcurrentHashMap<>());
        }

        @Override
        public void executionStarted(TestIdentifier identifier) {
            begun.put(identifier.getUniqueId(), System.nanoTime());
        }

        @Override
        public void executionFinished(TestIdentifier identifier, TestExecutionResult result) {
            if (identifier.isTest()) {
                double seconds = (System.nanoTime() - begun.get(identifier.getUniqueId())) / 1e9;
                String why = result.getThrowable()
                        .map(thrown -> ": "
                                + String.valueOf(thrown.getMessage())
                                        .lines()
                                        .findFirst()
                                        .orElse(""))
                        .orElse("");
                System.out.printf(
                        Locale.ROOT,
                        "%-10s %6.2f s  %s %s%s%n",
                        result.getStatus(),
                        seconds,
                        test,
                        identifier.getDisplayName(),
                        why);
                System.out.flush();
            }
        }

        @Override
        public void executionSkipped(TestIdentifier identifier, String reason) {
            System.out.println("skipped: " + test + " " + identifier.getDisplayName() + ": " + reason);
        }
    }
}
