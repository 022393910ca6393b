package io.easyfaas.e2e;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.conditions.ArchConditions.not;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.GeneralCodingRules.NO_CLASSES_SHOULD_THROW_GENERIC_EXCEPTIONS;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.domain.TryCatchBlock;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.util.Date;
import java.util.List;
import java.util.Timer;
import org.jspecify.annotations.NullMarked;

/// The rules of the code that a compiler cannot see, over the product's classes of every module.
@AnalyzeClasses(packages = "io.easyfaas", importOptions = ImportOption.DoNotIncludeTests.class)
final class ArchitectureTest {
  private static final String ROOT = "io.easyfaas.";

  private static final List<String> BANNED_SUFFIXES =
      List.of("Manager", "Helper", "Util", "Utils", "Impl", "Base", "Info", "Data", "Context");

  // Names of documents that public APIs fixed: the first engine's, and API Gateway's.
  private static final List<String> NAMES_OF_THE_WIRE =
      List.of("ContainerInfo", "RuntimeInfo", "RequestContext");

  // The doctor runs the launcher's own check; interpreters are asked for their version.
  private static final List<String> ALLOWED_TO_START_PROCESSES =
      List.of(ROOT + "cli.DoctorCommand", ROOT + "runnerruntime.InterpreterSearch");

  @ArchTest
  static final ArchRule servicesMeetAtTheWireOnly =
      layeredArchitecture()
          .consideringOnlyDependenciesInAnyPackage("io.easyfaas..")
          .layer("common")
          .definedBy(ROOT + "common..")
          .layer("cli")
          .definedBy(ROOT + "cli..")
          .layer("controller")
          .definedBy(ROOT + "controller..")
          .layer("funclet")
          .definedBy(ROOT + "funclet..")
          .layer("httptrigger")
          .definedBy(ROOT + "httptrigger..")
          .layer("runner-runtime")
          .definedBy(ROOT + "runnerruntime..")
          .layer("stubs")
          .definedBy(ROOT + "stubs..")
          .whereLayer("cli")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("controller")
          .mayOnlyBeAccessedByLayers("cli")
          .whereLayer("funclet")
          .mayOnlyBeAccessedByLayers("cli")
          .whereLayer("httptrigger")
          .mayOnlyBeAccessedByLayers("cli")
          .whereLayer("runner-runtime")
          .mayOnlyBeAccessedByLayers("cli")
          .whereLayer("stubs")
          .mayOnlyBeAccessedByLayers("cli")
          .whereLayer("common")
          .mayOnlyBeAccessedByLayers(
              "cli", "controller", "funclet", "httptrigger", "runner-runtime", "stubs");

  @ArchTest
  static final ArchRule packagesHaveNoCycles =
      slices().matching("io.easyfaas.(**)").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule onlyTheWireSideOfTheEngineKnowsNetty =
      noClasses()
          .that(
              resideInAPackage("io.easyfaas..")
                  .and(
                      DescribedPredicate.not(
                          resideInAnyPackage(
                              ROOT + "common.http",
                              ROOT + "common.invoke",
                              ROOT + "common.wire",
                              ROOT + "controller.call",
                              ROOT + "controller.engine",
                              ROOT + "controller.runtime",
                              ROOT + "httptrigger.event",
                              ROOT + "httptrigger.remote",
                              ROOT + "httptrigger.route")))
                  .and(DescribedPredicate.not(compositionRoots())))
          .should()
          .dependOnClassesThat()
          .resideInAPackage("io.netty..");

  @ArchTest
  static final ArchRule theDoorKnowsNothingOfWhatStandsOnEitherSideOfIt =
      noClasses()
          .that()
          .resideInAPackage(ROOT + "common.invoke")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              ROOT + "common.http",
              ROOT + "controller..",
              "io.netty.channel..",
              "io.netty.handler..");

  @ArchTest
  static final ArchRule translationsOfTheTriggerSeeBuffersAndNoConnections =
      noClasses()
          .that()
          .resideInAPackage(ROOT + "httptrigger.event")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("io.netty.channel..", "io.netty.handler..");

  @ArchTest
  static final ArchRule theEngineKnowsNothingOfHttp =
      noClasses()
          .that()
          .resideInAPackage(ROOT + "controller.engine")
          .should()
          .dependOnClassesThat(
              resideInAPackage("io.netty.handler..")
                  .or(
                      describe(
                          "classes of common.http but the event loops",
                          type ->
                              type.getPackageName().equals(ROOT + "common.http")
                                  && !type.getSimpleName().equals("EventLoops"))));

  @ArchTest
  static final ArchRule onlyOnePackageKnowsTheJsonLibrary =
      noClasses()
          .that()
          .resideOutsideOfPackage(ROOT + "common.json")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("tools.jackson..", "com.fasterxml.jackson.databind..");

  @ArchTest
  static final ArchRule onlyTheLaunchPackageStartsProcesses =
      noClasses()
          .that(
              DescribedPredicate.not(resideInAPackage(ROOT + "funclet.launch"))
                  .and(
                      describe(
                          "are not one of " + ALLOWED_TO_START_PROCESSES,
                          type ->
                              ALLOWED_TO_START_PROCESSES.stream()
                                  .noneMatch(type.getName()::startsWith))))
          .should()
          .dependOnClassesThat()
          .belongToAnyOf(ProcessBuilder.class)
          .orShould()
          .callMethod(Runtime.class, "exec", String[].class);

  @ArchTest
  static final ArchRule namesSayWhatATypeDoes =
      classes()
          .that(
              describe(
                  "are not documents of the wire",
                  type -> !NAMES_OF_THE_WIRE.contains(type.getSimpleName())))
          .should(notEndWith(BANNED_SUFFIXES));

  @ArchTest
  static final ArchRule nobodyPrintsButTheCommandLine =
      noClasses()
          .that()
          .resideOutsideOfPackage(ROOT + "cli..")
          .and(DescribedPredicate.not(mains()))
          .should()
          .accessField(System.class, "out")
          .orShould()
          .accessField(System.class, "err")
          .orShould()
          .callMethod(Throwable.class, "printStackTrace");

  @ArchTest
  static final ArchRule everyPackageIsNullMarked =
      classes().should(resideInAPackageThatIsNullMarked());

  @ArchTest
  static final ArchRule publicTypesAreClosed =
      classes()
          .that()
          .arePublic()
          .and()
          .areNotInterfaces()
          .and()
          .areNotEnums()
          .and()
          .areNotAnnotations()
          .should()
          .haveModifier(JavaModifier.FINAL)
          .orShould(beSealed());

  @ArchTest
  static final ArchRule failuresHaveTypesOfTheirOwn = NO_CLASSES_SHOULD_THROW_GENERIC_EXCEPTIONS;

  @ArchTest
  static final ArchRule onlyWhatIsClosedMayFailInAnyWay =
      classes().should(not(new CatchOfEverything()));

  @ArchTest
  static final ArchRule nothingIsAmbient =
      noClasses()
          .should()
          .dependOnClassesThat()
          .belongToAnyOf(ThreadLocal.class, Timer.class, Date.class)
          .orShould()
          .dependOnClassesThat()
          .resideInAnyPackage("java.util.logging..", "sun..", "jdk.internal..");

  private ArchitectureTest() {}

  /// The classes that build all others of their process, and the configuration they read.
  private static DescribedPredicate<JavaClass> compositionRoots() {
    return describe("composition roots", type -> type.getSimpleName().equals("Controller"));
  }

  private static DescribedPredicate<JavaClass> mains() {
    return describe("entry points", type -> type.getSimpleName().endsWith("Main"));
  }

  private static ArchCondition<JavaClass> notEndWith(List<String> suffixes) {
    return not(
        new ArchCondition<JavaClass>("end with one of " + suffixes) {
          @Override
          public void check(JavaClass type, ConditionEvents events) {
            boolean ends = suffixes.stream().anyMatch(type.getSimpleName()::endsWith);
            events.add(
                new SimpleConditionEvent(type, ends, type.getName() + " in " + type.getSource()));
          }
        });
  }

  private static ArchCondition<JavaClass> resideInAPackageThatIsNullMarked() {
    return new ArchCondition<>("reside in a package that is @NullMarked") {
      @Override
      public void check(JavaClass type, ConditionEvents events) {
        boolean isMarked = type.getPackage().isAnnotatedWith(NullMarked.class);
        events.add(
            new SimpleConditionEvent(
                type, isMarked, type.getPackageName() + " of " + type.getName()));
      }
    };
  }

  private static ArchCondition<JavaClass> beSealed() {
    return new ArchCondition<>("be sealed") {
      @Override
      public void check(JavaClass type, ConditionEvents events) {
        events.add(
            new SimpleConditionEvent(
                type, type.reflect().isSealed(), type.getName() + " is not final, not sealed"));
      }
    };
  }

  /// `catch (Exception …)` around anything but `AutoCloseable.close()`, which declares just that.
  private static final class CatchOfEverything extends ArchCondition<JavaClass> {
    private CatchOfEverything() {
      super("catch Exception, unless what they try is to close something");
    }

    @Override
    public void check(JavaClass type, ConditionEvents events) {
      for (JavaCodeUnit unit : type.getCodeUnits()) {
        for (TryCatchBlock block : unit.getTryCatchBlocks()) {
          boolean catchesAll =
              block.getCaughtThrowables().stream().anyMatch(t -> t.isEquivalentTo(Exception.class));
          boolean closes =
              block.getAccessesContainedInTryBlock().stream()
                  .anyMatch(access -> access.getName().equals("close"));
          events.add(
              new SimpleConditionEvent(
                  unit,
                  catchesAll && !closes,
                  unit.getFullName() + " catches Exception " + block.getSourceCodeLocation()));
        }
      }
    }
  }
}
